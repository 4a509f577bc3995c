"""Ends what tests have started when the tests themselves are killed.

A process of its own outlives pytest, however that ends, and then kills all that carries
its mark in the environment: daemons, servers and browsers, and what they have started.
Workers of pytest-xdist add a mark of their own to that of the run.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import signal
import sys
import time
from pathlib import Path

VARIABLE = "AGGREGATOR_TEST_RUN"
STEP, LONGEST = 0.5, 20.0

# A number is another process's some day; with the time of its start it is not.
Process = tuple[int, int]


def watch_over() -> None:
    """Mark all that this process will start, and have it ended with this process."""
    mark = secrets.token_hex(8)
    os.environ[VARIABLE] = f"{os.environ.get(VARIABLE, '')}/{mark}"
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-S", "-E", __file__, mark, str(os.getpid())],
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in range(3)
        ],
        setsid=True,
    )


def marked(mark: str) -> list[int]:
    """The processes with a mark in their environment, but for this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        environment = b""
        with contextlib.suppress(OSError):  # ended, or another user's
            environment = path.read_bytes()
        if mark.encode() in environment and int(path.parent.name) != os.getpid():
            found.append(int(path.parent.name))
    return found


def processes() -> dict[Process, int]:
    """Every process that there is, with the number of its parent."""
    found: dict[Process, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # ended meanwhile
            values = path.read_text("utf-8", "replace").rpartition(")")[2].split()
            if values[0] != "Z":
                found[int(path.parent.name), int(values[19])] = int(values[1])
    return found


def descendants(ancestors: set[Process]) -> set[Process]:
    """Those of some processes that are there still, and all that they have started."""
    parents = processes()
    found = ancestors & parents.keys()
    grown = True
    while grown:
        pids = {pid for pid, _ in found}
        children = {process for process, parent in parents.items() if parent in pids}
        grown = not children <= found
        found |= children
    return {process for process in found if process[0] != os.getpid()}


def main(mark: str, parent: int) -> None:
    """Wait for the end of a process, then end all that has its mark or was started by it.

    Some programs (nginx, newsboat) have an environment of their own.
    """
    started: set[Process] = set()
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(parent)
        roots = {process for process in processes() if process[0] == parent}
        while os.getppid() == parent and not select.select([descriptor], [], [], STEP)[0]:
            started = descendants(roots | started) - roots
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        left = {pid for pid, _ in descendants(started)} | set(marked(mark))
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
