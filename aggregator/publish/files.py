"""Bytes → files, so that a reader sees the old feed or the new one, whole (design §8)."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from aggregator.errors import PublishError
from aggregator.model import PublishedFile

_PREFIX = ".aggregator-"
_SUFFIX = ".tmp"


def prepare_file(path: Path, data: bytes) -> Path | None:
    """Put bytes beside the file that is to hold them, and to the disk.

    Returns the temporary file for `put_into_place`; None if `path` holds these bytes
    already.  Raises `PublishError`; the temporary file is then gone.
    """
    temporary = path.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        if holds(path, data):
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
        )
        with open(descriptor, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            os.fsync(descriptor)
    except OSError as error:
        raise _failure(path, temporary, error) from error
    return temporary


def put_into_place(temporary: Path, path: Path) -> None:
    """Make a prepared file the published one.

    Raises `PublishError`; the old file is then untouched and the temporary one gone.
    """
    try:
        os.replace(temporary, path)
    except OSError as error:
        raise _failure(path, temporary, error) from error


def replace_file(path: Path, data: bytes) -> bool:
    """Make `path` hold `data`; return whether it had to be written.  Raises `PublishError`."""
    temporary = prepare_file(path, data)
    if temporary is None:
        return False
    put_into_place(temporary, path)
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


def is_as_left(files: Iterable[PublishedFile], directory: Path) -> bool:
    """Whether files look on disk as they did when they were written."""
    try:
        for file in files:
            found = os.stat(f"{directory}/{file.path}")
            if (found.st_size, found.st_mtime_ns) != (file.size, file.mtime_ns):
                return False
    except OSError:
        return False
    return True


def remove_published(path: Path) -> None:
    """Remove a file that is not published any more; one that can't be removed stays."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def holds(path: Path, data: bytes) -> bool:
    """Whether a file holds just these bytes; `OSError` if that cannot be found out."""
    try:
        if path.stat().st_size != len(data):
            return False
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _failure(path: Path, temporary: Path, error: OSError) -> PublishError:
    with contextlib.suppress(OSError):
        temporary.unlink(missing_ok=True)
    return PublishError(f"{path}: cannot be written: {error.strerror}; what was published stays")
