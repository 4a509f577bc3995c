"""Bytes → files, so that a reader sees the old feed or the new one, whole."""

from __future__ import annotations

import contextlib
import os
import secrets
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from aggregator.model.errors import PublishError
from aggregator.model.feeds import PublishedFile
from aggregator.publish.compression import ENDINGS, compressed

_PREFIX = ".aggregator-"
_SUFFIX = ".tmp"
_PIECE = 1_000_000


@dataclass(frozen=True)
class Prepared:
    """A file that is on the disk under a temporary name, ready to be put into place.

    There is no `temporary` one where the file is as it should be; `is_new` says that it
    differs from the one that was there, which a packed one never counts as.  `checksum`
    is the CRC-32 of its bytes.
    """

    path: str
    is_new: bool
    checksum: int
    temporary: Path | None = None

    def discard(self) -> None:
        """Remove the temporary file, if it is still there."""
        if self.temporary is not None:
            with contextlib.suppress(OSError):
                self.temporary.unlink(missing_ok=True)


def prepare(
    directory: Path, path: str, data: bytes, codings: Iterable[str], *, dry_run: bool = False
) -> list[Prepared]:
    """Put bytes on the disk that `path` is to hold, and once more in each content coding.

    A dry run only finds out whether they differ.  Raises `PublishError`, and no temporary
    file is left.
    """
    target = directory / path
    if dry_run:
        return [Prepared(path, is_new=not _holds(target, data), checksum=zlib.crc32(data))]
    found = [_prepared(path, target, data)]
    try:
        changed = os.stat(found[0].temporary or target).st_mtime_ns
        for coding in codings:
            packed = target.with_name(target.name + ENDINGS[coding])
            file = _prepared(path + ENDINGS[coding], packed, compressed(data, coding))
            # Servers tell the age of a response by the file that they send.
            os.utime(file.temporary or packed, ns=(changed, changed))
            found.insert(0, replace(file, is_new=False))
    except (PublishError, OSError) as error:
        for file in found:
            file.discard()
        raise _failure(target, error) if isinstance(error, OSError) else error from error
    return found


def put(directory: Path, file: Prepared, codings: Collection[str]) -> PublishedFile:
    """Make a prepared file the published one; return how it was left.

    Packed ones in other codings than `codings` would tell of an older one, and go.
    Raises `PublishError`; the old file is then untouched and the temporary one gone.
    """
    target = directory / file.path
    try:
        if file.temporary is not None:
            os.replace(file.temporary, target)
        for coding, ending in ENDINGS.items():
            if coding not in codings:
                target.with_name(target.name + ending).unlink(missing_ok=True)
        found = target.stat()
    except OSError as error:
        file.discard()
        raise _failure(target, error) from error
    return PublishedFile(file.path, found.st_size, found.st_mtime_ns, file.checksum)


def left_file(directory: Path, path: str) -> PublishedFile | None:
    """A file as it lies in the feeds folder; None if it cannot be read."""
    target = directory / path
    try:
        if not target.is_file():
            return None
        found = target.stat()
        return PublishedFile(path, found.st_size, found.st_mtime_ns, _checksum(target))
    except OSError:
        return None


def remove(directory: Path, path: str) -> None:
    """Remove a file that is not published any more, with its packed ones.

    Raises `PublishError` if it is still there.
    """
    for ending in ("", *ENDINGS.values()):
        target = directory / (path + ending)
        try:
            target.unlink(missing_ok=True)
        except NotADirectoryError:
            continue  # it cannot be there
        except OSError as error:
            reason = f"{target}: is published no more, and cannot be removed: {error.strerror}"
            raise PublishError(reason) from error


def sync_folders(folders: Iterable[Path]) -> None:
    """Make renames in these folders last through a power cut.

    Raises `PublishError` if that cannot be promised of one of them.
    """
    failure: PublishError | None = None
    for folder in folders:
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            failure = PublishError(
                f"{folder}: what was written there may not outlive a power cut: {error.strerror}"
            )
    if failure is not None:
        raise failure


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Delete temporary files of a run that was killed; the caller holds the lock."""
    for folder in folders:
        with contextlib.suppress(OSError):
            for leftover in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
                leftover.unlink(missing_ok=True)


def is_as_left(files: Iterable[PublishedFile], directory: Path, *, full: bool = False) -> bool:
    """Whether files look on disk as they did when they were written; with `full` byte by byte."""
    try:
        for file in files:
            path = f"{directory}/{file.path}"
            found = os.stat(path)
            if (found.st_size, found.st_mtime_ns) != (file.size, file.mtime_ns):
                return False
            if full and _checksum(path) != file.checksum:
                return False
    except OSError:
        return False
    return True


def _holds(path: Path, data: bytes) -> bool:
    """Whether a file holds just these bytes; `OSError` if that cannot be found out."""
    try:
        if path.stat().st_size != len(data):
            return False
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def _checksum(path: str | Path) -> int:
    """The CRC-32 of a file's bytes."""
    checksum = 0
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return checksum


def _prepared(path: str, target: Path, data: bytes) -> Prepared:
    """One file on the disk, beside the one whose place it will take."""
    temporary = target.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        checksum = zlib.crc32(data)
        if _holds(target, data):
            return Prepared(path, is_new=False, checksum=checksum)
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644
        )
        with open(descriptor, "wb", buffering=0) as file:
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
            os.fsync(descriptor)
    except OSError as error:
        Prepared(path, True, 0, temporary).discard()
        raise _failure(target, error) from error
    return Prepared(path, True, checksum, temporary)


def _failure(path: Path, error: OSError) -> PublishError:
    return PublishError(f"{path}: cannot be written: {error.strerror}; what was published stays")
