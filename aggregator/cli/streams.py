"""Standard output and standard error, which tell their own failures from all others."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from aggregator.model.errors import AggregatorError

_PACKAGE = Path(__file__).parents[1]
_ADVICE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs, or raise the system's limit of open files",
    errno.EACCES: "give this user the right to it",
    errno.EPERM: "give this user the right to it",
    errno.EROFS: "mount it writable, or name another place in config.yaml",
    errno.ENOMEM: "give it more memory",
    errno.EAGAIN: "let it have more processes or memory",
    errno.EIO: "look after the disk",
}


class OutputError(AggregatorError):
    """What a command prints cannot be written."""


def tell_failures() -> None:
    """Have a failure to write to standard output or standard error be an `OutputError`.

    A reader that has left stays a `BrokenPipeError`.
    """
    sys.stdout, sys.stderr = _telling(sys.stdout), _telling(sys.stderr)


def drop_output() -> None:
    """Send what is still buffered nowhere, so that it fails no second time."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            os.dup2(nowhere, stream.fileno())


def explained(error: OSError) -> str:
    """What the system refused, of which file or where in the program, and what to do."""
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
        message = f"the system refused something: {reason}{where}"
    advice = _ADVICE.get(error.errno or 0, "mend that")
    return f"{message}; nothing is half-written: {advice}, and run it again"


class _Raw(io.FileIO):
    def write(self, data: Any, /) -> int:
        """Write some bytes, or say that it was the output that failed."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"the output cannot be written: {error.strerror}") from error


def _telling(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # closed, or not a file
    return io.TextIOWrapper(
        io.BufferedWriter(_Raw(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
