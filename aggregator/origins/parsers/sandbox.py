"""A function in a process of its own, with limits of time and memory.

Parsers written for honest documents can hang, use up all memory or overflow the stack of
their process.  Here that costs one document.

    python -m aggregator.origins.parsers.sandbox MODULE:FUNCTION MEGABYTES

is the child.  It reads calls from standard input, each a line of JSON (the size of the
document, the other arguments) and the document itself, and answers each with a line of
JSON on standard output: [error, reason, line, value].  Its answers are not trusted:
values are built from them by their types.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import importlib
import json
import os
import resource
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

from aggregator.model.errors import UnusableError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")

_MAX_ANSWER = 200_000_000
_PIECE = 1 << 20
_UNUSABLE, _MEMORY, _BROKEN = "unusable", "memory", "broken"
_Answer = tuple[str, str, int | None, Any]


class _Child(NamedTuple):
    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]


class Confined(Generic[Value]):
    """A function behind a child process, which is started by the first call."""

    def __init__(
        self, target: str, kind: type[Value], *, seconds: float = 10.0, megabytes: int = 1000
    ) -> None:
        """Set the function, as MODULE:FUNCTION, the type of its value, and a call's limits."""
        from pydantic import TypeAdapter  # the child needs none

        self._target = target
        self._answers: TypeAdapter[_Answer] = TypeAdapter(
            tuple[str, str, int | None, kind | None]  # type: ignore[valid-type]
        )
        self._seconds = seconds
        self._megabytes = megabytes
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def call(self, document: bytes, *arguments: Any) -> Value:
        """Return the function's value for a document and other arguments, which are JSON.

        Raises `UnusableError` if the function does, or if it exceeds a limit or ends its
        process; the next call starts a new one.  Calls of several threads wait for one
        another.
        """
        with self._lock:
            return self._called(document, arguments)

    def _called(self, document: bytes, arguments: tuple[Any, ...]) -> Value:
        try:
            child = self._child or self._start()
        except (OSError, EOFError, ValueError) as error:
            self.close()
            reason = getattr(error, "strerror", None) or "it ended at once, or took a minute"
            raise UnusableError(
                f"it was not read: no parser could be started ({reason})"
            ) from error
        until = time.monotonic() + self._seconds
        try:
            _write(child, json.dumps((len(document), arguments)).encode() + b"\n" + document, until)
            answer = self._answers.validate_json(_read_line(child, until))
        except TimeoutError as error:
            self.close()
            raise UnusableError(f"reading it takes longer than {self._seconds:g} s") from error
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise UnusableError("it cannot be read: the parser broke down") from error
        failure, reason, line, value = answer
        if failure == _UNUSABLE:
            raise UnusableError(reason, line)
        if failure == _MEMORY:
            self.close()
            raise UnusableError(f"reading it takes more than {self._megabytes:,} MB")
        if failure or value is None:
            raise UnusableError(f"it cannot be read: {reason or 'the parser broke down'}")
        return cast("Value", value)

    def __enter__(self) -> Confined[Value]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> _Child:
        # Nothing of the environment that could change what Python loads or prints.
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = subprocess.Popen(  # noqa: S603  # this program itself
            [
                sys.executable,
                "-m",
                "aggregator.origins.parsers.sandbox",
                self._target,
                str(self._megabytes),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("a child without pipes")
        os.set_blocking(process.stdin.fileno(), False)
        self._child = _Child(process, process.stdin, process.stdout)
        # Importing the parser is not the document's time.
        _read_line(self._child, time.monotonic() + 60)
        return self._child

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            process = self._child.process
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()
            self._child = None


def _write(child: _Child, data: bytes, until: float) -> None:
    """Write to the child.  Raises `TimeoutError` if it has not read all of it by `until`."""
    left = memoryview(data)
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdin, selectors.EVENT_WRITE)
        while left:
            if not selector.select(max(until - time.monotonic(), 0)):
                raise TimeoutError
            left = left[os.write(child.stdin.fileno(), left[:_PIECE]) :]


def _read_line(child: _Child, until: float) -> bytes:
    """Return the child's next line.

    Raises `EOFError` at the end, `TimeoutError` past `until`, and `ValueError` for a line
    that is too long, or followed by more.
    """
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not found.endswith(b"\n"):
            if not selector.select(max(until - time.monotonic(), 0)):
                raise TimeoutError
            piece = os.read(child.stdout.fileno(), _PIECE)
            if not piece:
                raise EOFError
            found += piece
            if len(found) > _MAX_ANSWER or b"\n" in piece[:-1]:
                raise ValueError("more than one line of a permitted size")
    return bytes(found)


def main(target: str, megabytes: int) -> None:
    """Serve calls until standard input ends, as it does when the parent does."""
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints must not be taken for an answer
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    # Heavy libraries are imported by the first call: let that be this one.
    prepare = getattr(importlib.import_module(module), "prepare", None)
    if prepare is not None:
        prepare()
    _limit(megabytes)
    stdout.write(b"null\n")
    stdout.flush()
    while line := stdin.readline():
        size, arguments = json.loads(line)
        answer = _answer(function, stdin.read(size), arguments)
        data = json.dumps(answer, ensure_ascii=False, default=_plain)
        stdout.write(data.encode("utf-8", "replace") + b"\n")
        stdout.flush()


def _answer(function: Callable[..., object], document: bytes, arguments: list[Any]) -> _Answer:
    """Call the function; return what failed, the reason, the line, and the value."""
    try:
        return "", "", None, function(document, *arguments)
    except UnusableError as error:
        return _UNUSABLE, error.reason, error.line, None
    except MemoryError:
        return _MEMORY, "", None, None
    except RecursionError:
        return _BROKEN, "nested too deeply", None, None
    except Exception as error:  # noqa: BLE001  # a parser may raise anything
        return _BROKEN, f"{type(error).__name__}: {error}"[:200], None, None


def _plain(value: Any) -> object:
    """Return what stands in the JSON for a dataclass (its fields) or a date (ISO 8601)."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _limit(megabytes: int) -> None:
    try:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        used = 0  # a system without that file: the program's own part counts, too
    limit = used + megabytes * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
