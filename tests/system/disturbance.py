"""Runs whose n-th system call of a kind fails or is their last, by strace's injection.

A run is forked from the loaded command, works in one process and by a clock that stands
still, so that the same run makes the same calls in the same order.
"""

from __future__ import annotations

import functools
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import PR_SET_PTRACER, Result, Site, commands

WRITING = (
    "open,openat,creat,mkdir,mkdirat,write,pwrite64,ftruncate,fsync,fdatasync,"
    "rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,utimensat,fchmod"
)
READING = "pread64,read"
SECONDS = 60
# `123 openat(AT_FDCWD</site>, "feeds/x", …) = 3</site/feeds/x>`, with the process before it
# once there are several.
LINE = re.compile(r"^(?:\[pid +)?(?:\d+\]? +)?(\w+)\((.*)$")
IN_QUOTES = re.compile(r'"((?:[^"\\]|\\.)*)"')
IN_BRACKETS = re.compile(r"^\d+<([^>]*)>")


@dataclass(frozen=True)
class Call:
    """The `number`-th system call of its `name` in a run, on a `path` within the site."""

    name: str
    number: int
    path: str

    @property
    def place(self) -> str:
        """What it is about: `output`, the `store`, or its `notes`; "" for anything else."""
        top, _, rest = self.path.partition("/")
        if top == "feeds":
            return "output"
        if top != "var":
            return ""
        is_store = re.fullmatch(r"(aggregator\.db(-\w+)?)?", rest) is not None
        return "store" if is_store else "notes"

    @property
    def file(self) -> str:
        """The path, the same whatever a temporary file was called this time."""
        return re.sub(r"\.aggregator-\w+\.tmp", "TEMPORARY", self.path)


@dataclass(frozen=True)
class Injection:
    """What is done to one call: an `error` that it returns, or the end of the process."""

    call: Call
    error: str | None

    @property
    def option(self) -> str:
        """As strace takes it."""
        what = f"error={self.error}" if self.error else "signal=KILL"
        return f"inject={self.call.name}:{what}:when={self.call.number}"

    def __str__(self) -> str:
        return f"{self.call.name} {self.call.number} {self.error or 'KILL'}"


@dataclass(frozen=True)
class Disturbed:
    """How a run ended, and the call that was hit; None if there was no such call."""

    result: Result
    hit: Call | None


@functools.cache
def can_trace() -> bool:
    """Return whether strace is there and may trace a process that is no child of its own."""
    if shutil.which("strace") is None:
        return False
    script = (
        f"import ctypes; ctypes.CDLL(None).prctl({PR_SET_PTRACER}, ctypes.c_ulong(-1), 0, 0, 0);"
        "print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as traced:
        try:
            assert traced.stdout is not None
            traced.stdout.readline()
            with _strace(traced.pid, "-o", os.devnull):
                return True
        except CannotTraceError:
            return False
        finally:
            traced.kill()


class CannotTraceError(Exception):
    """strace could not attach to a process; the message is its own."""


def calls(site: Site, clock: float, kinds: str, *arguments: str) -> tuple[Result, list[Call]]:
    """What a run does to the site's own files: the calls of some kinds, in their order."""
    result, lines = _traced(site, clock, arguments, f"trace={kinds}")
    return result, [call for call, _ in _calls(site, lines) if call.place]


def disturbed(site: Site, clock: float, injection: Injection, *arguments: str) -> Disturbed:
    """Run the command, and let one call fail or be its last."""
    options = (f"trace={injection.call.name}", injection.option)
    result, lines = _traced(site, clock, arguments, *options)
    found = list(_calls(site, lines))
    if injection.error is None:
        # The call at whose entry a process is killed has no end.
        hit = found[-1][0] if result.code == -signal.SIGKILL and found else None
    else:
        hit = next((call for call, line in found if line.endswith("(INJECTED)")), None)
    return Disturbed(result, hit)


def killed_after(
    site: Site, clock: float, seconds: float, *arguments: str, whole_group: bool = True
) -> Result:
    """Run the command with all its processes, and kill them after some time."""
    with commands.start(site.root, list(arguments), clock=clock) as started:
        if not started.ends_within(seconds):
            (os.killpg if whole_group else os.kill)(started.pid, signal.SIGKILL)
        result = started.end(SECONDS)
        deadline = time.monotonic() + SECONDS
        while is_alive(started.pid):
            assert time.monotonic() < deadline
            time.sleep(0.002)
        return result


def is_alive(group: int) -> bool:
    """Return whether a process of the group is left, but for those that nobody has buried yet."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of_group = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it has just ended
        if int(of_group) == group and state != "Z":
            return True
    return False


def _traced(
    site: Site, clock: float, arguments: tuple[str, ...], *expressions: str
) -> tuple[Result, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        options = [part for expression in expressions for part in ("-e", expression)]
        how = {"clock": clock, "alone": True, "stopped": True}
        with commands.start(site.root, list(arguments), **how) as started:
            _wait_until_stopped(started.pid)
            with _strace(started.pid, "-y", "-s", "4096", *options, "-o", str(log)) as tracer:
                os.kill(started.pid, signal.SIGCONT)
                result = started.end(SECONDS)
                tracer.wait(SECONDS)
        return result, log.read_text("utf-8", "replace").splitlines()


def _wait_until_stopped(pid: int) -> None:
    deadline = time.monotonic() + SECONDS
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline
        time.sleep(0.001)


@contextmanager
def _strace(pid: int, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A strace that follows a process; raises `CannotTraceError`."""
    with subprocess.Popen(
        ["strace", "-f", "-p", str(pid), *options], stderr=subprocess.PIPE
    ) as tracer:
        try:
            assert tracer.stderr is not None
            said = b""
            while b" attached" not in said:
                if not select.select([tracer.stderr], [], [], SECONDS)[0]:
                    raise CannotTraceError("strace does not answer")
                more = os.read(tracer.stderr.fileno(), 4096)
                if not more:
                    raise CannotTraceError(said.decode("utf-8", "replace"))
                said += more
            yield tracer
        finally:
            tracer.kill()


def _calls(site: Site, lines: list[str]) -> Iterator[tuple[Call, str]]:
    """All the calls of a log with their lines; those of other files have the path ""."""
    counts: dict[str, int] = {}
    root = site.root.resolve()
    for line in lines:
        found = LINE.match(line)
        if found is None:
            continue
        name, rest = found.groups()
        counts[name] = counts.get(name, 0) + 1
        opened = IN_BRACKETS.match(rest)
        quoted = IN_QUOTES.findall(rest) if opened is None or name.endswith("at") else []
        path = Path(quoted[-1] if quoted else opened[1] if opened else "/")
        if name in ("open", "openat", "mkdir", "mkdirat", "utimensat") and quoted:
            path = Path(quoted[0])
        path = root / path
        inside = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
        yield Call(name, counts[name], inside), line
