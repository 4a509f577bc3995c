"""What a test has started ends with it, however that ends."""

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from warden import STEP, marked

STARTS = """\
import subprocess
import threading
from pathlib import Path

from conftest import COMMAND, Site, article


def test_starts_all_kinds_of_processes(site: Site, tmp_path: Path) -> None:
    site.post("1.md", article("eins"))
    site.build()
    daemon = [str(COMMAND), "run", "--listen", "127.0.0.1:0"]
    subprocess.Popen(daemon, cwd=site.root, start_new_session=True)
    # A child that leaves, and its own that does not.
    subprocess.Popen(["setsid", "sh", "-c", "sleep 1000 & setsid sleep 1000 & sleep 1000"])
    # One that has nothing of our environment, like nginx.
    subprocess.Popen(["env", "-i", "sleep", "2000.MARK"])
    threading.Thread(
        target=lambda: site.run("serve", "--listen", "127.0.0.1:0", timeout=1000), daemon=True
    ).start()
    while not Path(f"{site.store}.daemon").exists():
        threading.Event().wait(0.02)
    threading.Event().wait(1000)
"""


def names(pids: list[int]) -> list[str]:
    found = []
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found.append(b" ".join(words).decode())
    return found


@pytest.mark.parametrize("processes", ["1", pytest.param("0", marks=pytest.mark.exhaustive)])
def test_kill_9_of_the_tests_leaves_nothing(tmp_path: Path, processes: str) -> None:
    mark = str(secrets.randbits(60))
    (tmp_path / "test_starts.py").write_text(STARTS.replace("MARK", mark))
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "conftest"]
    command += ["-p", "no:cacheprovider", "-n", processes, f"--rootdir={tmp_path}", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "STARTED_BY": mark}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def wanted() -> bool:
        started = names(marked(mark))
        sleeping = [name for name in started if name.startswith("sleep 1000")]
        return (
            "aggregator run" in " ".join(started)
            and len(sleeping) == 3
            and len(served(mark)) == 2
            and len(without_environment(mark)) == 1
        )

    try:
        deadline = time.monotonic() + 60
        while not wanted():
            assert process.poll() is None, names(marked(mark))
            assert time.monotonic() < deadline, names(marked(mark))
            threading.Event().wait(0.05)
        # The warden has looked since the last of them was started.
        threading.Event().wait(2 * STEP)
        process.send_signal(signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 20
        while left := marked(mark) + without_environment(mark):
            assert time.monotonic() < deadline, names(left)
            threading.Event().wait(0.05)
    finally:
        for pid in marked(mark) + without_environment(mark):
            os.kill(pid, signal.SIGKILL)


def without_environment(mark: str) -> list[int]:
    """The process that is known by its command alone."""
    every = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in every if f"sleep 2000.{mark}" in " ".join(names([pid]))]


def served(mark: str) -> list[int]:
    """The process that forks commands, and the command that it has forked."""
    return [pid for pid in marked(mark) if "loaded_command.py" in " ".join(names([pid]))]
