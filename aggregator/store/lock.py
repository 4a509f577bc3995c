"""One lock per store: there is one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from aggregator.model.errors import LockedError, StoreError

_STEP = 0.05


@contextlib.contextmanager
def exclusive(path: Path, wait: float, who: str) -> Iterator[None]:
    """Hold the lock file at `path`, waiting for up to `wait` seconds.

    The lock is the kernel's, so it ends with the process, however that ends; the text
    in the file only says who holds it.  Raises `LockedError` with the holder's name.
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
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} ({who})\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
