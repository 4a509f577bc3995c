"""Work in several processes, where there are none, and where they are killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import COMMAND, NAMESPACE, Site, need_namespace
from corpus import write_corpus

SCRIPT = """
import os, pathlib, signal, sys, time
from aggregator import processes

processes.PROCESSES, processes.SOON_DONE = 2, 0.0
marks = pathlib.Path("marks")
SETUP

def square(number):
    with open(f"calls-{os.getpid()}", "a") as file:
            file.write(f"{number}\\n")
    LINE
    return number * number

try:
    print(list(processes.ordered_map(square, range(20))))
    print(list(processes.ordered_map(square, range(3))))
except processes.WorkerError as error:
    print("failed:", error)
print(processes.take_notices(), processes.take_notices())
"""
SQUARES = f"{[number**2 for number in range(20)]}\n[0, 1, 4]\n"


def mapped(folder: Path, line: str = "pass", setup: str = "") -> str:
    """What the script prints, in a process of its own."""
    (folder / "script.py").write_text(SCRIPT.replace("SETUP", setup).replace("LINE", line))
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def calls(folder: Path) -> list[int]:
    """The items that any process has worked on."""
    return sorted(int(line) for path in folder.glob("calls-*") for line in path.read_text().split())


def test_several_processes_give_the_results_in_order(tmp_path: Path) -> None:
    assert mapped(tmp_path) == SQUARES + "[] []\n"
    assert len(list(tmp_path.glob("calls-*"))) > 1
    assert calls(tmp_path) == sorted([*range(20), 0, 1, 2])


@pytest.mark.parametrize("number", [1, 2, 7, 19])
def test_a_worker_that_is_killed_costs_nothing_but_time(tmp_path: Path, number: int) -> None:
    line = (
        f"if number == {number} and not marks.exists(): "
        "marks.touch(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    results, _, rest = mapped(tmp_path, line).rpartition("['")
    assert results == SQUARES
    assert rest.startswith("a worker process was killed")
    assert rest.endswith("] []\n")


def test_an_item_that_kills_every_worker_is_an_error_and_not_tried_for_ever(tmp_path: Path) -> None:
    said = mapped(tmp_path, "if number == 7: os.kill(os.getpid(), signal.SIGKILL)")
    assert said.startswith("failed: a worker process was killed again")
    assert calls(tmp_path).count(7) == 2


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))", "open files"),
        ("import _multiprocessing; del _multiprocessing.SemLock", "semaphores"),
        (
            "from concurrent.futures import process\n"
            "def refuse(thread): raise RuntimeError('no new thread')\n"
            "process._ExecutorManagerThread.start = refuse",
            "no new thread",
        ),
    ],
    ids=["no descriptors", "no semaphores", "no threads"],
)
def test_where_no_process_can_be_started_one_does_the_work(
    tmp_path: Path, limit: str, reason: str
) -> None:
    said = mapped(tmp_path, setup=limit)
    assert said.startswith(SQUARES)
    assert said.count("no worker processes can be started") == 1
    assert reason in said
    assert len(list(tmp_path.glob("calls-*"))) == 1
    assert calls(tmp_path) == sorted([*range(20), 0, 1, 2])


@pytest.fixture
def large(site: Site) -> Site:
    write_corpus(site.posts, 700)
    return site


def in_one_process(site: Site, shm: str) -> subprocess.CompletedProcess[str]:
    """Build where /dev/shm is as `shm` makes it."""
    need_namespace()
    return subprocess.run(
        [*NAMESPACE, "sh", "-c", f"set -e; {shm}; exec '{COMMAND}' build-feeds"],
        cwd=site.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    "shm",
    [
        pytest.param(
            "mount -t tmpfs -o ro none /dev/shm", id="read-only", marks=pytest.mark.exhaustive
        ),
        pytest.param(
            "mount -t tmpfs -o size=4k,nr_inodes=1 none /dev/shm",
            id="full",
            marks=pytest.mark.exhaustive,
        ),
        pytest.param(
            "mkdir d; touch d/null d/urandom; mount --bind /dev/null d/null;"
            "mount --bind /dev/urandom d/urandom; mount --rbind d /dev",
            id="absent",
        ),
    ],
)
def test_a_machine_without_semaphores_builds_the_same_feeds(large: Site, shm: str) -> None:
    done = in_one_process(large, shm)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("no worker processes can be started") == 1
    assert "output cannot be written" not in done.stderr
    assert "Traceback" not in done.stderr
    feeds = large.feed_bytes()
    large.store.unlink()
    for path in large.feeds.rglob("*.*"):
        path.unlink()
    assert large.build().err == ""
    assert large.feed_bytes() == feeds


def children(process: int) -> list[int]:
    """The processes that one has started."""
    try:
        found = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(number) for number in found.split()]


def test_a_build_survives_the_kill_of_a_worker(large: Site) -> None:
    large.build()
    feeds = large.feed_bytes()
    large.store.unlink()
    for path in large.feeds.rglob("*.*"):
        path.unlink()
    with subprocess.Popen(
        [COMMAND, "build-feeds"],
        cwd=large.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as build:
        deadline = time.monotonic() + 60
        while not (workers := children(build.pid)):
            assert build.poll() is None, "it was done before it had a worker"
            assert time.monotonic() < deadline
        os.kill(workers[0], signal.SIGKILL)
        _, said = build.communicate(timeout=60)
    assert build.returncode == 0, said
    assert said.count("a worker process was killed") == 1
    assert "Traceback" not in said
    assert large.feed_bytes() == feeds


def test_the_daemon_says_so_too(large: Site) -> None:
    need_namespace()
    with subprocess.Popen(
        [*NAMESPACE, "sh", "-c", f"mount -t tmpfs -o ro none /dev/shm; exec '{COMMAND}' run"],
        cwd=large.root,
        stderr=subprocess.PIPE,
        text=True,
    ) as daemon:
        assert daemon.stderr is not None
        said = []
        for line in daemon.stderr:
            said.append(line)
            if "ready" in line:
                break
        daemon.terminate()
        daemon.communicate(timeout=20)
    assert sum("no worker processes can be started" in line for line in said) == 1
    assert len(large.entries()) == 100


def test_a_parser_that_cannot_be_started_costs_one_document_each(tmp_path: Path) -> None:
    script = """
import resource, sys
from aggregator.origins.parsers.sandbox import Confined
from aggregator.model.errors import UnusableError

def tried(target):
    with Confined(target, str) as confined:
        for _ in range(2):
            try:
                print(confined.call(b"<p>x</p>"))
            except UnusableError as error:
                print(error.reason)

tried("aggregator.nothing:nobody")
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
tried("aggregator.origins.parsers.page:list_links")
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
sys.executable = "/nowhere/python"
tried("aggregator.origins.parsers.page:list_links")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    reasons = ["it ended at once", "Too many open files", "No such file"]
    assert len(done.stdout.splitlines()) == 6, done.stdout
    for number, line in enumerate(done.stdout.splitlines()):
        assert line.startswith("it was not read: no parser could be started")
        assert reasons[number // 2] in line


def test_what_the_system_refuses_is_told_with_file_and_advice() -> None:
    script = """
import os, resource, sys
import click
from aggregator import cli

@click.command()
@click.argument("kind")
def refused(kind):
    if kind == "file":
        open("/proc/self/nothing/here")
    if kind == "pipe":
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        os.pipe()
    if kind == "output":
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
        click.echo("x")

cli.cli.add_command(refused)
cli.main()
"""
    said = {}
    for kind in ("file", "pipe", "output"):
        done = subprocess.run(
            [sys.executable, "-c", script, "refused", kind],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        (said[kind],) = done.stderr.splitlines()
    assert said["file"].startswith(
        "aggregator: /proc/self/nothing/here: No such file or directory; nothing is half-written"
    )
    assert said["pipe"].startswith("aggregator: operating system error: Too many open files")
    assert "ulimit" in said["pipe"]
    assert said["output"] == "aggregator: the output cannot be written: No space left on device"
