"""Standard output and error: failed writes to them are distinguished from other errors."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, Literal, TextIO

from aggregator.model.errors import AggregatorError

_PACKAGE = Path(__file__).parents[1]
_ADVICE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs, or raise the system's limit of open files",
    errno.EACCES: "give this user access to it",
    errno.EPERM: "give this user access to it",
    errno.EROFS: "mount it writable, or name another place in config.yaml",
    errno.ENOMEM: "give it more memory",
    errno.EAGAIN: "allow it more processes or memory",
    errno.EIO: "check the disk",
}


class OutputError(AggregatorError):
    """Standard output or standard error cannot be written."""


def watch_output() -> None:
    """Make a failed write to standard output or standard error raise `OutputError`.

    If the reader has left, `BrokenPipeError` is raised as usual.  What is written to a stream that
    is closed is dropped.
    """
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = _watched(sys.stdout or _nowhere("w"))
    sys.stderr = _watched(sys.stderr or _nowhere("w"))


def flush_output() -> None:
    """Write what is still buffered; drop what cannot be written, which would fail at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OutputError, OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def describe(error: OSError) -> str:
    """Return what the system refused, for which file or where in the program, and what to do."""
    reason = error.strerror or str(error) or type(error).__name__
    if isinstance(error.filename, str | bytes):
        place = os.fsdecode(error.filename).encode("utf-8", "backslashreplace").decode()
        message = f"{place}: {reason}"
    else:
        where = ""
        step = error.__traceback__
        # Nothing is imported here: there may be no file descriptor left to read a module by.
        while step is not None:
            code = step.tb_frame.f_code
            if Path(code.co_filename).is_relative_to(_PACKAGE):
                where = f" (in {Path(code.co_filename).relative_to(_PACKAGE)}, {code.co_name})"
            step = step.tb_next
        message = f"operating system error: {reason}{where}"
    advice = _ADVICE.get(error.errno or 0, "fix that")
    return f"{message}; nothing is half-written: {advice}, and run it again"


class _Raw(io.FileIO):
    def write(self, data: Any, /) -> int:
        """Write bytes.  Raises `OutputError` if that fails."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"the output cannot be written: {error.strerror}") from error


def _nowhere(mode: Literal["r", "w"]) -> TextIO:
    """Return a stream that leads nowhere, at the lowest free descriptor.

    For the standard streams, in their order, these are their own: no file that is opened later
    gets one, to be taken for a standard stream by a library or another process.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    os.set_inheritable(descriptor, True)
    return open(descriptor, mode, encoding="utf-8", closefd=False)


def _watched(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # not a file
    return io.TextIOWrapper(
        io.BufferedWriter(_Raw(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
