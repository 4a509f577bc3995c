"""A word from the file system when something changes in a posts folder.

Only ever a hint: a folder that is deleted and made again, a network mount, a folder that
is not there yet give no word, and the schedule finds out what they hold.
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

STEP, DEBOUNCE, ANSWER_WITHIN = 50, 400, 1000  # milliseconds
RETRY = 10.0
# What the library says before it ends a watch for a name that is not UTF-8.
UNDECODABLE = "Unable to decode path"


class FolderWatch:
    """Watches folders in threads of its own until it is closed."""

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
    """One folder."""

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
        """Wait for a change, for a second at most.

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
                    f"{self._folder}: cannot be watched, the schedule will do: {error}"
                ) from error
            # Something happened to the watch or in the folder: a change, until it is known.
            changes = {error}
        if changes is None:
            self._end()
        elif changes or self._is_new or _identity(self._folder) != self._identity:
            # What changed before there was a watch was seen by nobody.
            self._is_new = False
            self._changed()
            if _identity(self._folder) != self._identity:
                # Gone, or another folder in its place: what was watched is not it.
                self._end()

    def _watch(self) -> Generator[Any, None, None]:
        return watch(
            self._folder,
            watch_filter=None,
            step=STEP,
            debounce=DEBOUNCE,
            stop_event=self._stopping,
            rust_timeout=ANSWER_WITHIN,
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
