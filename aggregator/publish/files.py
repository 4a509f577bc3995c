"""Bytes → files: a reader sees the old feed or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from aggregator.model.atomic import remove_quietly, write_new
from aggregator.model.errors import PublishError
from aggregator.model.feeds import PublishedFile
from aggregator.publish.compression import EXTENSIONS, compressed

_PREFIX = ".aggregator-"
_SUFFIX = ".tmp"
_PIECE = 1_000_000


@dataclass(frozen=True)
class Prepared:
    """A file that is ready to be put into place; `left` is what it will be there.

    Its bytes are in the file `temporary`, unless the published file has them already or the
    run is dry.  `is_new` says that they differ from those of the published file; it is false
    for a file in a content coding.
    """

    left: PublishedFile
    is_new: bool
    temporary: Path | None = None

    def discard(self) -> None:
        """Remove the temporary file, if it is still there."""
        if self.temporary is not None:
            remove_quietly(self.temporary)


def prepare(
    directory: Path, path: str, data: bytes, codings: Iterable[str], *, dry_run: bool = False
) -> list[Prepared]:
    """Write the bytes that `path` is to hold beside it, and once more in each content coding.

    The file itself comes first.  A dry run writes nothing, and compares the file itself only.
    Raises `PublishError`, and leaves no temporary file then.
    """
    if dry_run:
        return [Prepared(PublishedFile(path, 0, 0), not _holds(directory / path, data))]
    files = [_prepared(directory, path, data)]
    try:
        for coding in codings:
            coded = path + EXTENSIONS[coding]
            # Servers derive the age of a response from the file that they send.
            modified = files[0].left.mtime_ns
            file = _prepared(directory, coded, compressed(data, coding), modified)
            files.append(replace(file, is_new=False))
    except PublishError:
        for file in files:
            file.discard()
        raise
    return files


def put(directory: Path, file: Prepared, codings: Collection[str]) -> None:
    """Make a prepared file the published one.

    Remove it in content codings that are not in `codings`: they would be of an older file.
    Raises `PublishError`; the old file is then unchanged and the temporary one removed.
    """
    target = directory / file.left.path
    try:
        if file.temporary is not None:
            os.replace(file.temporary, target)
        for coding, extension in EXTENSIONS.items():
            if coding not in codings:
                target.with_name(target.name + extension).unlink(missing_ok=True)
    except OSError as error:
        file.discard()
        raise _failure(target, error) from error


def left_file(directory: Path, path: str) -> PublishedFile | None:
    """Return a file of the feeds folder as it is on disk, or None if it cannot be read."""
    target = directory / path
    try:
        if not target.is_file():
            return None
        found = target.stat()
        return PublishedFile(path, found.st_size, found.st_mtime_ns, _checksum(target))
    except OSError:
        return None


def remove(directory: Path, path: str) -> None:
    """Remove a file that is no longer published, also in each content coding.

    Raises `PublishError` if it cannot be removed.
    """
    for extension in ("", *EXTENSIONS.values()):
        target = directory / (path + extension)
        try:
            target.unlink(missing_ok=True)
        except NotADirectoryError:
            continue  # its folder does not exist
        except OSError as error:
            reason = f"{target}: is no longer published, but cannot be removed: {error.strerror}"
            raise PublishError(reason) from error


def sync_folders(folders: Iterable[Path]) -> None:
    """Write the renames in these folders to the disk, so that they outlive a power cut.

    Raises `PublishError` if one of the folders cannot be synced.
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
                f"{folder}: cannot be synced, so a power cut may lose its files: {error.strerror}"
            )
    if failure is not None:
        raise failure


def remove_leftovers(folders: Iterable[Path]) -> None:
    """Delete the temporary files of a killed run; the caller holds the lock."""
    for folder in folders:
        with contextlib.suppress(OSError):
            for leftover in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
                leftover.unlink(missing_ok=True)


def is_as_left(files: Iterable[PublishedFile], directory: Path, *, full: bool = False) -> bool:
    """Return whether files have their size and time of writing, and with `full` their checksum."""
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
    """Return whether a file holds just these bytes.  Raises `PublishError` if it cannot be read."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _failure(path, error) from error


def _checksum(path: str | Path) -> int:
    """The CRC-32 of a file's bytes."""
    checksum = 0
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            checksum = zlib.crc32(piece, checksum)
    return checksum


def _prepared(directory: Path, path: str, data: bytes, modified: int | None = None) -> Prepared:
    """Prepare one file; `modified` is its time of modification, in nanoseconds."""
    target = directory / path
    written = target
    is_new = not _holds(target, data)
    try:
        if is_new:
            target.parent.mkdir(parents=True, exist_ok=True)
            written = target.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
            write_new(written, data, sync=True)
        if modified is not None:
            os.utime(written, ns=(modified, modified))
        status = written.stat()
    except OSError as error:
        if is_new and written != target:
            remove_quietly(written)
        raise _failure(target, error) from error
    left = PublishedFile(path, status.st_size, status.st_mtime_ns, zlib.crc32(data))
    return Prepared(left, is_new, written if is_new else None)


def _failure(path: Path, error: OSError) -> PublishError:
    return PublishError(
        f"{path}: cannot be written: {error.strerror}; the previously published file was kept"
    )
