"""Bytes → files, so that a reader sees the old feed or the new one, whole (design §8)."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from aggregator.errors import PublishError

_PREFIX = ".aggregator-"
_SUFFIX = ".tmp"


def replace_file(path: Path, data: bytes) -> bool:
    """Make `path` hold `data`; return whether it had to be written.

    The bytes go to a temporary file in the same folder, to the disk, and then into
    place.  Raises `PublishError`; the old file is then untouched and the temporary one
    gone.
    """
    temporary = path.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        if holds(path, data):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
        )
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise PublishError(
            f"{path}: cannot be written: {error.strerror}; what was published stays"
        ) from error
    return True


def sync_folders(folders: Iterable[Path]) -> None:
    """Make renames in these folders last through a power cut."""
    for folder in folders:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Delete temporary files of a run that was killed; the caller holds the lock."""
    for folder in folders:
        with contextlib.suppress(OSError):
            for leftover in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
                leftover.unlink(missing_ok=True)


def holds(path: Path, data: bytes) -> bool:
    """Whether a file holds just these bytes; `OSError` if that cannot be found out."""
    try:
        if path.stat().st_size != len(data):
            return False
        return path.read_bytes() == data
    except FileNotFoundError:
        return False
