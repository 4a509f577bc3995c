"""A function in a process of its own, with limits of time and memory.

Parsers written for honest documents can hang, eat all memory or overrun the stack of
their process.  What is run here costs one document then.

    python -m aggregator.origins.parsers.sandbox MODULE:FUNCTION

is the child: it reads pickled arguments from standard input, and answers on standard
output.  What it sends back is not trusted: only plain values and this project's frozen
dataclasses are taken.
"""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import datetime
import importlib
import io
import os
import pickle
import resource
import selectors
import struct
import subprocess
import sys
import threading
import time
from typing import IO, Any, NamedTuple

from aggregator.model.errors import UnusableError

_LENGTH = struct.Struct("!Q")
_MAX_ANSWER = 200_000_000
_PIECE = 1 << 20
_DONE, _UNUSABLE, _MEMORY, _BUG = range(4)


class _Child(NamedTuple):
    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]


class Confined:
    """A function behind a child process, which is started when it is first called."""

    def __init__(self, target: str, *, seconds: float = 10.0, megabytes: int = 1000) -> None:
        """Set the function, as MODULE:FUNCTION, and what a call may cost."""
        self._target = target
        self._seconds = seconds
        self._megabytes = megabytes
        self._child: _Child | None = None
        self._lock = threading.Lock()

    def call(self, *arguments: Any) -> Any:
        """What the function gives.

        Raises `UnusableError` if it does, or if it passes a limit or ends its process;
        the next call has a new one.  Calls of several threads wait for one another.
        """
        data = pickle.dumps(arguments)
        with self._lock:
            kind, value = self._called(data)
        if kind == _UNUSABLE:
            raise UnusableError(*value)
        if kind == _BUG:
            raise UnusableError(f"it cannot be read: {value}")
        return value

    def _called(self, data: bytes) -> tuple[int, Any]:
        try:
            child = self._child or self._start()
        except (OSError, EOFError) as error:
            self._kill()
            reason = getattr(error, "strerror", None) or "it ended at once, or took a minute"
            raise UnusableError(
                f"it was not read: no parser could be started ({reason})"
            ) from error
        until = time.monotonic() + self._seconds
        try:
            child.stdin.write(_LENGTH.pack(len(data)) + data)
            child.stdin.flush()
            kind, value = _load(self._answer(child, until))
        except TimeoutError as error:
            self._kill()
            raise UnusableError(f"reading it takes longer than {self._seconds:g} s") from error
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            self._kill()
            raise UnusableError("it cannot be read: the parser broke down") from error
        if kind == _MEMORY:
            self._kill()
            raise UnusableError(f"reading it takes more than {self._megabytes:,} MB")
        return kind, value

    def close(self) -> None:
        """End the child."""
        self._kill()

    def __enter__(self) -> Confined:
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
        self._child = _Child(process, process.stdin, process.stdout)
        # Importing the parser is not the document's time.
        _read(self._child, _LENGTH.size, time.monotonic() + 60)
        return self._child

    def _answer(self, child: _Child, until: float) -> bytes:
        (length,) = _LENGTH.unpack(_read(child, _LENGTH.size, until))
        if length > _MAX_ANSWER:
            raise ValueError("an answer of no use")
        return _read(child, length, until)

    def _kill(self) -> None:
        if self._child is not None:
            process = self._child.process
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()
            self._child = None


def _read(child: _Child, size: int, until: float) -> bytes:
    """Exactly `size` bytes.  Raises `EOFError` at the end, `TimeoutError` past `until`."""
    found = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while len(found) < size:
            if not selector.select(max(until - time.monotonic(), 0)):
                raise TimeoutError
            piece = os.read(child.stdout.fileno(), min(size - len(found), _PIECE))
            if not piece:
                raise EOFError
            found += piece
    return bytes(found)


class _Unpickler(pickle.Unpickler):
    """Plain values, times, and the frozen dataclasses of this project."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "builtins" and name in ("set", "frozenset"):
            return getattr(builtins, name)
        if module == "datetime" and name in ("datetime", "timezone", "timedelta"):
            return getattr(datetime, name)
        if module.startswith("aggregator.") and module in sys.modules:
            found = getattr(sys.modules[module], name, None)
            if isinstance(found, type) and dataclasses.is_dataclass(found):
                return found
        if (module, name) == ("copyreg", "_reconstructor"):
            raise pickle.UnpicklingError("an old pickle")
        raise pickle.UnpicklingError(f"{module}.{name} is not a plain value")


def _load(data: bytes) -> tuple[int, Any]:
    kind, value = _Unpickler(io.BytesIO(data)).load()
    if not isinstance(kind, int):
        raise ValueError("an answer of no use")
    return kind, value


def main(target: str, megabytes: int) -> None:
    """Serve calls until standard input ends, as it does when the parent does."""
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints is no answer
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    # Heavy libraries are imported by the first call: let that be this one.
    prepare = getattr(importlib.import_module(module), "prepare", None)
    if prepare is not None:
        prepare()
    _limit(megabytes)
    stdout.write(_LENGTH.pack(0))
    stdout.flush()
    while length := stdin.read(_LENGTH.size):
        arguments = pickle.loads(stdin.read(_LENGTH.unpack(length)[0]))  # noqa: S301  # the parent's
        _respond(stdout, function, arguments)


def _respond(stdout: IO[bytes], function: Any, arguments: Any) -> None:
    answer: tuple[int, Any]
    try:
        answer = (_DONE, function(*arguments))
    except UnusableError as error:
        answer = (_UNUSABLE, (error.reason, error.line))
    except MemoryError:
        answer = (_MEMORY, None)
    except RecursionError:
        answer = (_BUG, "nested too deeply")
    except Exception as error:  # noqa: BLE001  # a parser may raise anything
        answer = (_BUG, f"{type(error).__name__}: {error}"[:200])
    data = pickle.dumps(answer)
    stdout.write(_LENGTH.pack(len(data)) + data)
    stdout.flush()


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
