"""Watches of posts folders by inotify(7): the kernel names each file that changes.

Where events were lost, or cannot say what changed (a folder that moved), nothing is named, and
all files are looked at.  No events come from network mounts, from folders that don't exist yet,
while a folder is being replaced, or for a link when what it leads to changes; the schedule covers
these, as it does systems without inotify.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from inotify_simple import INotify, flags

from aggregator.config.globs import POSTS, SKIPPED_FOLDERS, is_hidden
from aggregator.daemon.file_systems import is_local
from aggregator.daemon.health import Health
from aggregator.model.errors import OriginError

# Seconds without an event after which those that came are handed on, and at the latest.
QUIET, LONGEST_BURST = 0.05, 0.4
LONGEST_WAIT = 1.0
RETRY = 10.0
_MASK = (
    flags.MODIFY | flags.CLOSE_WRITE | flags.CREATE | flags.DELETE | flags.MOVED_FROM
    | flags.MOVED_TO | flags.ATTRIB | flags.DELETE_SELF | flags.MOVE_SELF | flags.ONLYDIR
)  # fmt: skip
_LOST = flags.Q_OVERFLOW | flags.UNMOUNT
_ENDED = flags.DELETE_SELF | flags.MOVE_SELF | flags.IGNORED

# Called with the name of a folder and the paths below it that changed, None if they are unknown.
Changed = Callable[[str, Collection[str] | None], None]


class Watched(NamedTuple):
    """A folder to watch, its name in the store, and whether its subfolders are watched, too."""

    name: str
    folder: Path
    is_tree: bool


class FolderWatch:
    """Watches folders until it is closed; where there is no inotify, it does nothing."""

    def __init__(self, folders: Iterable[Watched], changed: Changed) -> None:
        """Begin to watch: the kernel keeps what changes from now on until `start`."""
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._watches = [
            _Watch(watched, changed, self._stopping)
            for watched in (folders if sys.platform == "linux" else ())
        ]
        for found in self._watches:
            found.begin()

    def start(self, health: Health) -> None:
        """Call `changed` for what changes, in a thread for each folder."""
        if not self._threads:
            self._threads = [
                health.start_loop(f"watch {found.watched.folder}", found.turn, self._stopping)
                for found in self._watches
            ]

    @property
    def sees_all(self) -> bool:
        """Whether each change of the folders makes an event."""
        return sys.platform == "linux" and all(found.sees_all for found in self._watches)

    def close(self) -> None:
        """Stop watching."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(2)
        for number, found in enumerate(self._watches):
            if not (self._threads and self._threads[number].is_alive()):
                found.end()


class _UnknownError(Exception):
    """Something changed, and no event says what."""


class _Watch:
    """The watch of one folder, while the folder is there."""

    def __init__(self, watched: Watched, changed: Changed, stopping: threading.Event) -> None:
        self.watched = watched
        self._changed = changed
        self._stopping = stopping
        self._identity: tuple[int, int] | None = None
        self._is_lost = False
        self._inotify: INotify | None = None
        # The paths of watched folders below the folder, by their watches.
        self._folders: dict[int, str] = {}

    def begin(self) -> None:
        """Watch the folder if that is possible; else `turn` tries again."""
        self._identity = _identity(self.watched.folder)
        if self._identity is not None:
            with contextlib.suppress(OriginError):
                self._begin()

    def turn(self) -> None:
        """Wait for changes, for `LONGEST_WAIT` at most.

        Raises `OriginError` if the folder cannot be watched.
        """
        if self._inotify is None:
            self._begin_again()
            return
        try:
            found = set(self._paths(self._inotify))
        except (_UnknownError, OSError):
            self._lose()
            return
        if found:
            self._changed(self.watched.name, found)
        if _identity(self.watched.folder) != self._identity:
            # The folder is gone, or another one is in its place.
            self._lose()

    @property
    def sees_all(self) -> bool:
        """Whether each change of the folder makes an event.

        Of a network mount below it, only a scan can tell: see `Scans.scanned`.
        """
        return self._inotify is not None and is_local(self.watched.folder)

    def _lose(self) -> None:
        self.end()
        self._is_lost = True

    def _begin_again(self) -> None:
        """Watch the folder if it is there: what changed before that is unknown."""
        is_lost, self._is_lost = self._is_lost, False
        self._identity = _identity(self.watched.folder)
        try:
            if self._identity is not None:
                self._begin()
        finally:
            if is_lost or self._inotify is not None:
                self._changed(self.watched.name, None)
        if self._identity is None:
            self._stopping.wait(RETRY)

    def _begin(self) -> None:
        try:
            self._inotify = INotify()
            self._folders = {}
            for _ in self._watch("", is_new=False):
                pass
        except OSError as error:
            self.end()
            raise OriginError(
                f"{self.watched.folder}: cannot be watched, only polled on schedule: "
                f"{error.strerror}"
            ) from error

    def _paths(self, inotify: INotify) -> Iterator[str]:
        """Yield the paths that events name; raises `_UnknownError` if they are not enough."""
        events = inotify.read(timeout=round(LONGEST_WAIT * 1000))
        latest = time.monotonic() + LONGEST_BURST
        while events:
            for event in events:
                yield from self._named(event.wd, event.mask, event.name)
            wait = min(QUIET, latest - time.monotonic())
            events = inotify.read(timeout=round(wait * 1000)) if wait > 0 else []

    def _named(self, watch: int, mask: int, name: str) -> Iterator[str]:
        """Yield the paths that an event names."""
        folder = self._folders.get(watch)
        if mask & _LOST or (folder == "" and mask & _ENDED):
            raise _UnknownError
        if folder is None or not name:
            return  # an event of a subfolder itself, which the folder above it names
        path = f"{folder}/{name}" if folder else name
        if not mask & flags.ISDIR:
            yield path
        elif self.watched.is_tree and not _is_skipped(name):
            if mask & (flags.DELETE | flags.MOVED_FROM):
                # Its files are gone, and nobody names them.
                raise _UnknownError
            is_known = path in self._folders.values()
            # Also one that may be listed now, and could not be before.
            if mask & (flags.CREATE | flags.MOVED_TO | flags.ATTRIB) or not is_known:
                yield from self._watch(path, is_new=True)
            if name == POSTS and not is_known:
                # With a folder of that name, even an empty one, other files count.
                self._changed(self.watched.name, None)

    def _watch(self, path: str, *, is_new: bool) -> Iterator[str]:
        """Watch a folder and those below it; yield its files if it `is_new`."""
        if self._inotify is None:
            return
        folders = [path]
        while folders:
            place = folders.pop()
            whole = self.watched.folder / place
            try:
                # The folder itself may be a link; those below it are not followed.
                mask = _MASK | flags.DONT_FOLLOW if place else _MASK
                self._folders[self._inotify.add_watch(whole, mask)] = place
                if not self.watched.is_tree:
                    return
                with os.scandir(whole) as entries:
                    for entry in entries:
                        below = f"{place}/{entry.name}" if place else entry.name
                        if entry.is_dir(follow_symlinks=False):
                            if not _is_skipped(entry.name):
                                folders.append(below)
                        elif is_new:
                            yield below
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                # Of one that cannot be read, a poll says so if it is to be read.
                if not place:
                    raise

    def end(self) -> None:
        """Watch no more."""
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None


def _is_skipped(name: str) -> bool:
    return is_hidden(name) or name in SKIPPED_FOLDERS


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
