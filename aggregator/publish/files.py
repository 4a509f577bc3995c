"""A folder of feeds: a reader sees the old feed or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from aggregator.model.atomic import remove_quietly, sync_file_system, write_new
from aggregator.model.errors import PublishError
from aggregator.model.feeds import PublishedFile
from aggregator.publish.compression import EXTENSIONS, compressed, with_codings
from aggregator.publish.destination import Prepared
from aggregator.publish.publication import ARTICLES, PLACES

_PREFIX = ".aggregator-"
_SUFFIX = ".tmp"
_PIECE = 1_000_000
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Folder:
    """A folder as a `Destination`; each file is written in the given content codings, too."""

    def __init__(self, directory: Path, codings: Sequence[str] = ()) -> None:
        self.directory = directory
        self._codings = codings
        self._unsynced: set[Path] = set()  # folders from which files were removed

    def place(self, path: str) -> str:
        """Return the path of a file."""
        return str(self.directory / path)

    def begin(self, *, dry_run: bool = False) -> None:
        """Delete the temporary files of a killed run."""
        for place in (*PLACES, ARTICLES) if not dry_run else ():
            self.clean(place)

    def names(self, paths: Iterable[str]) -> list[str]:
        """Return the paths, each with those in the content codings."""
        return with_codings(paths, self._codings)

    def prepare(
        self, path: str, data: bytes, *, dry_run: bool = False, sync: bool = True
    ) -> list[Prepared]:
        """Write the bytes that `path` is to hold beside it, and once more in each coding.

        A dry run compares the file itself only.
        """
        if dry_run:
            return [Prepared(PublishedFile(path, 0, 0), not _holds(self.directory / path, data))]
        files = [_prepared(self.directory, path, data, sync=sync)]
        try:
            for coding in self._codings:
                coded = path + EXTENSIONS[coding]
                # Servers derive the age of a response from the file that they send.
                modified = files[0].left.mtime_ns
                packed = compressed(data, coding)
                file = _prepared(self.directory, coded, packed, modified, sync=sync)
                files.append(replace(file, is_new=False))
        except PublishError:
            for file in files:
                file.discard()
            raise
        return files

    def put(
        self, documents: Sequence[Sequence[Prepared]], *, dry_run: bool = False
    ) -> Iterator[tuple[Prepared, ...] | PublishError]:
        """Rename the files of documents: those in a content coding before their originals."""
        for files in documents:
            try:
                for file in reversed(files) if not dry_run else ():
                    self._put(file)
            except PublishError as error:
                for file in files:
                    file.discard()
                yield error
            else:
                yield tuple(files)

    def _put(self, file: Prepared) -> None:
        """Make a prepared file the published one.

        Remove it in codings that are not configured: they would be of an older file.
        """
        target = f"{self.directory}/{file.left.path}"
        try:
            if file.temporary is not None:
                os.replace(file.temporary, target)
            for coding, extension in EXTENSIONS.items() if file.replaces else ():
                if coding not in self._codings:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(target + extension)
        except OSError as error:
            raise _failure(Path(target), error) from error

    def sync(self, files: Iterable[Prepared]) -> None:
        """Write the renames of files, and removals before them, to the disk."""
        failure: PublishError | None = None
        written = [file for file in files if file.temporary is not None]
        folders = {file.temporary.parent for file in written if file.temporary is not None}
        if not all(file.is_synced for file in written):
            sync_file_system(self.directory)
        folders, self._unsynced = folders | self._unsynced, set()
        for folder in folders:
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                failure = PublishError(
                    f"{folder}: cannot be synced, so a power cut may lose its files: "
                    f"{error.strerror}"
                )
        if failure is not None:
            raise failure

    def folder_state(self, path: str) -> int | None:
        """Return the time at which a folder last changed, -1 if there is none."""
        try:
            return os.stat(self.directory / path).st_mtime_ns
        except OSError:
            return -1

    def clean(self, path: str) -> None:
        """Delete the temporary files of a killed run in a folder."""
        with contextlib.suppress(OSError):
            for leftover in (self.directory / path).glob(f"{_PREFIX}*{_SUFFIX}"):
                leftover.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        """Remove a file that is no longer published, also in each content coding."""
        for extension in ("", *EXTENSIONS.values()):
            target = self.directory / (path + extension)
            try:
                target.unlink()
                self._unsynced.add(target.parent)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                reason = f"is no longer published, but cannot be removed: {error.strerror}"
                raise PublishError(f"{target}: {reason}") from error

    def is_as_left(self, files: Iterable[PublishedFile], *, full: bool = False) -> bool:
        """Return whether files have their size and time of writing, and if `full` the checksum."""
        try:
            for file in files:
                path = f"{self.directory}/{file.path}"
                found = os.stat(path)
                if (found.st_size, found.st_mtime_ns) != (file.size, file.mtime_ns):
                    return False
                if full and _checksum(path) != file.checksum:
                    return False
        except OSError:
            return False
        return True

    def left_file(self, path: str) -> PublishedFile | None:
        """Return a file as it is on disk, or None if it cannot be read."""
        target = self.directory / path
        try:
            if not target.is_file():
                return None
            found = target.stat()
            return PublishedFile(path, found.st_size, found.st_mtime_ns, _checksum(target))
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """Return whether there is such a file."""
        return (self.directory / path).exists()

    def find(self, pattern: str) -> list[str]:
        """Return the sorted paths of files."""
        found = (path for path in self.directory.glob(pattern) if path.is_file())
        return sorted(path.relative_to(self.directory).as_posix() for path in found)

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the first bytes of a file; None if there is none."""
        target = self.directory / path
        try:
            descriptor = os.open(target, _OPEN)
            with open(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return None
                return file.read(limit)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PublishError(f"{target}: cannot be read: {error.strerror}") from error

    def read_all(self, paths: Iterable[str], limit: int) -> Iterator[bytes | None]:
        """Return the same of several files."""
        return (self.read(path, limit) for path in paths)


def _holds(path: Path, data: bytes) -> bool:
    """Return whether a file holds just these bytes.  Raises `PublishError` if it cannot be read."""
    try:
        return os.stat(path).st_size == len(data) and path.read_bytes() == data
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


def _prepared(
    directory: Path, path: str, data: bytes, modified: int | None = None, *, sync: bool
) -> Prepared:
    """Prepare one file; `modified` is its time of modification, in nanoseconds."""
    target = directory / path
    written = target
    replaces = target.exists()
    is_new = not (replaces and _holds(target, data))
    try:
        if is_new:
            written = target.parent / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
            try:
                write_new(written, data, sync=sync)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_new(written, data, sync=sync)
        if modified is not None:
            os.utime(written, ns=(modified, modified))
        status = os.stat(written)
    except OSError as error:
        if is_new and written != target:
            remove_quietly(written)
        raise _failure(target, error) from error
    left = PublishedFile(path, status.st_size, status.st_mtime_ns, zlib.crc32(data))
    return Prepared(left, is_new, written if is_new else None, is_synced=sync, replaces=replaces)


def _failure(path: Path, error: OSError) -> PublishError:
    return PublishError(
        f"{path}: cannot be written: {error.strerror}; what was there before was kept"
    )
