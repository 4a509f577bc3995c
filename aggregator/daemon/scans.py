"""Which files of the posts folders the daemon looks at: those that events name, or all.

A scan on schedule is the safety net, and looking at the posts takes no more than 1 % of the time
where events come: after a scan that took some time, the next is due after a hundred times that.
One that events ask for, since they cannot say what changed, comes at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping

# A scan may take this share of the time.
SHARE = 0.01
# More files are found by a scan in less time.
MAX_NAMED = 10_000

# The paths below each posts folder, by the folder's name in the store.
Named = Mapping[str, Collection[str]]


class Scans:
    """What to look at next; events come from threads of their own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._named: dict[str, set[str]] = {}
        self._must_scan = True
        self._has_events = False
        self._next = 0.0

    def add_event(self, folder: str, paths: Collection[str] | None) -> None:
        """Look at paths below a folder; None stands for unknown ones, which takes a scan."""
        with self._lock:
            self._has_events = True
            self._add(folder, paths)

    def look_again(self, named: Named) -> None:
        """Look once more at files that were being written."""
        with self._lock:
            for folder, paths in named.items():
                self._add(folder, paths)

    def must_scan(self) -> None:
        """Make a scan due, whatever events say."""
        with self._lock:
            self._must_scan = True

    def take(self, *, is_scheduled: bool, gives_events: bool) -> Named | None:
        """Return the files to look at now, None for all; what is returned is due no more.

        On schedule (`is_scheduled`) all files are due; if every change `gives_events`, not before
        the last scan is old enough.
        """
        with self._lock:
            named, self._named = self._named, {}
            is_old = not gives_events or self._clock() >= self._next
            if self._must_scan or (is_scheduled and is_old):
                self._must_scan = False
                return None
            return named

    def scanned(self, seconds: float, *, found: bool) -> None:
        """Note how long a scan took, and whether it `found` changes.

        Where it did though no event had come, events cannot be relied on.
        """
        with self._lock:
            relies = self._has_events or not found
            self._next = self._clock() + seconds / SHARE if relies else 0.0
            self._has_events = False

    def _add(self, folder: str, paths: Collection[str] | None) -> None:
        known = self._named.setdefault(folder, set())
        # Stored places of files come here, too: one with a backslash is escaped, and is no path.
        if paths is None or len(known) + len(paths) > MAX_NAMED or any("\\" in p for p in paths):
            self._must_scan = True
        else:
            known.update(paths)
