"""Watches of posts folders, which find a change before the schedule does.

No events come from network mounts, from folders that don't exist yet, or while a folder is
being replaced; the schedule covers these.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from watchfiles import watch

from aggregator.daemon.health import Health
from aggregator.model.errors import OriginError

STEP, DEBOUNCE, LONGEST_WAIT = 50, 400, 1000  # milliseconds
RETRY = 10.0  # seconds
# The library's error when a name that is not UTF-8 ends a watch.
UNDECODABLE = "Unable to decode path"


class FolderWatch:
    """Watches folders, in a thread for each, until it is closed."""

    def __init__(
        self, folders: Sequence[tuple[Path, bool]], changed: Callable[[], None], health: Health
    ) -> None:
        """Watch each folder, with its subfolders if that is True, and call `changed`."""
        self._stopping = threading.Event()
        self._threads = [
            health.start_loop(
                f"watch {folder}",
                _Watched(folder, is_tree, changed, self._stopping).turn,
                self._stopping,
            )
            for folder, is_tree in folders
        ]

    def close(self) -> None:
        """Stop watching."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(2)


class _Watched:
    """One folder, and the watch of it while there is one."""

    def __init__(
        self, folder: Path, is_tree: bool, changed: Callable[[], None], stopping: threading.Event
    ) -> None:
        self._folder = folder
        self._is_tree = is_tree
        self._changed = changed
        self._stopping = stopping
        self._identity: tuple[int, int] | None = None
        self._changes: Generator[Any, None, None] | None = None
        self._is_new = True

    def turn(self) -> None:
        """Wait for a change, for `LONGEST_WAIT` at most.

        Raises `OriginError` if the folder cannot be watched.
        """
        if self._changes is None:
            self._identity = _identity(self._folder)
            if self._identity is None:
                self._stopping.wait(RETRY)
                return
            self._changes, self._is_new = self._watch(), True
        try:
            changes = next(self._changes, None)
        except (OSError, RuntimeError) as error:
            self._end()
            if self._is_new and UNDECODABLE not in str(error):
                raise OriginError(
                    f"{self._folder}: cannot be watched, only polled on schedule: {error}"
                ) from error
            # Whatever ended the watch, something may have changed in the folder.
            changes = {error}
        if changes is None:
            self._end()
        elif changes or self._is_new or _identity(self._folder) != self._identity:
            # A new watch does not know what changed before it.
            self._is_new = False
            self._changed()
            if _identity(self._folder) != self._identity:
                # The folder is gone, or another one is in its place.
                self._end()

    def _watch(self) -> Generator[Any, None, None]:
        return watch(
            self._folder,
            watch_filter=None,
            step=STEP,
            debounce=DEBOUNCE,
            stop_event=self._stopping,
            rust_timeout=LONGEST_WAIT,
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=self._is_tree,
        )

    def _end(self) -> None:
        if self._changes is not None:
            with contextlib.suppress(RuntimeError):
                self._changes.close()
            self._changes = None


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
