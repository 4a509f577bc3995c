"""A word from the file system when something changes in a posts folder.

Only ever a hint: a folder that is deleted and made again, a network mount, a folder that
is not there yet give no word, and the schedule finds out what they hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import watch

from aggregator.logs import LOGGER

STEP, DEBOUNCE = 50, 400  # milliseconds
RETRY = 10.0


class FolderWatch:
    """Watches folders in threads of its own until it is closed."""

    def __init__(self, folders: Sequence[tuple[Path, bool]], changed: Callable[[], None]) -> None:
        """Watch (folder, whether its subfolders too), and call `changed` for changes."""
        self._changed = changed
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._watch, args=folder, name=f"watch {folder[0]}", daemon=True
            )
            for folder in folders
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(2)

    def _watch(self, folder: Path, is_tree: bool) -> None:
        while not self._stopping.is_set():
            identity = _identity(folder)
            if identity is None:
                self._stopping.wait(RETRY)
                continue
            try:
                for changes in watch(
                    folder,
                    watch_filter=None,
                    step=STEP,
                    debounce=DEBOUNCE,
                    stop_event=self._stopping,
                    rust_timeout=1000,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    recursive=is_tree,
                ):
                    if changes:
                        self._changed()
                    if _identity(folder) != identity:
                        # Gone, or another folder in its place: what was watched is not it.
                        self._changed()
                        break
            except (OSError, RuntimeError) as error:
                LOGGER.warning("%s: cannot be watched, the schedule will do: %s", folder, error)
                self._stopping.wait(RETRY)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
