"""One lock per store: there is one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from aggregator.config.paths import DatabaseLock
from aggregator.model.errors import LockedError, StoreError

_STEP = 0.05


def exclusive(
    lock: Path | DatabaseLock, wait: float, who: str
) -> contextlib.AbstractContextManager[None]:
    """Hold a lock, waiting for up to `wait` seconds.

    It ends with the process, however that ends.  Raises `LockedError` with the holder's name.
    """
    if isinstance(lock, Path):
        return _file(lock, wait, who)
    from aggregator.store import advisory_locks

    return advisory_locks.exclusive(lock.url, lock.name, wait, who)


def shared(
    lock: Path | DatabaseLock, wait: float, who: str
) -> contextlib.AbstractContextManager[None]:
    """Hold a lock of a database beside others that hold it in the same way; see `exclusive`."""
    from aggregator.store import advisory_locks

    if isinstance(lock, Path):
        raise TypeError(f"{lock}: is no lock of a database")
    return advisory_locks.shared(lock.url, lock.name, wait, who)


@contextlib.contextmanager
def _file(path: Path, wait: float, who: str) -> Iterator[None]:
    """Hold the lock file at `path`.

    The lock is the kernel's; the text in the file only says who holds it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        raise StoreError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
                    raise LockedError(
                        f"{path}: held by {holder or 'another run'}; waited {wait:g} s"
                    ) from error
                time.sleep(_STEP)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} ({who})\n".encode(), 0)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
        yield
    finally:
        os.close(descriptor)
