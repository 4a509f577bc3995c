"""Files that are replaced atomically: a reader sees either the old bytes or the new ones."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_new(path: Path, data: bytes, *, sync: bool) -> None:
    """Write a file that does not exist yet; with `sync` it outlives a power cut.

    Raises `OSError`, and leaves no file of its own.
    """
    descriptor = os.open(path, _NEW, 0o644)
    try:
        with open(descriptor, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            if sync:
                os.fsync(descriptor)
    except OSError:
        remove_quietly(path)
        raise


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file that may be lost in a power cut.

    Raises `OSError`; the old file is then unchanged.
    """
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)  # of a process that was killed
    write_new(temporary, data, sync=False)
    try:
        temporary.replace(path)
    except OSError:
        remove_quietly(temporary)
        raise


def sync_file_system(folder: Path) -> None:
    """Write all files of the folder's file system to the disk: of many, each would take longer."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if ctypes.CDLL(None).syncfs(descriptor) == 0:
                return
        finally:
            os.close(descriptor)
    except (OSError, AttributeError):  # no syncfs, as on macOS
        pass
    os.sync()


def remove_quietly(path: Path) -> None:
    """Remove a file if that can be done."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
