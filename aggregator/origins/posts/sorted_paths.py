"""Any number of paths in the order of their locations, in little memory."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aggregator.origins.posts.scan import location

if TYPE_CHECKING:
    import sqlite3

# More paths than this are sorted in a temporary file: each takes about 100 bytes of memory.
IN_MEMORY = 50_000
_TOGETHER = 5_000


class SortedPaths:
    """Paths that are added in any order, and read in that of their locations, once."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._count = 0
        self._spilled: sqlite3.Connection | None = None

    def add(self, path: str, entry: os.DirEntry[str] | None = None) -> None:
        """Add a path, whatever its entry."""
        self._count += 1
        self._paths.append(path)
        if len(self._paths) > (IN_MEMORY if self._spilled is None else _TOGETHER):
            self._spill()

    def __len__(self) -> int:
        """Return how many paths were added."""
        return self._count

    def __iter__(self) -> Iterator[str]:
        """Yield the paths, whatever their bytes, in the order in which the store has them."""
        if self._spilled is None:
            yield from sorted(self._paths, key=location)
            return
        self._spill()
        # A location is its own path, but for unusual names.
        for place, path in self._spilled.execute("SELECT place, path FROM post ORDER BY place"):
            yield place if path is None else os.fsdecode(path)

    def _spill(self) -> None:
        if self._spilled is None:
            import sqlite3

            # A private database in a temporary file (https://www.sqlite.org/inmemorydb.html).
            self._spilled = sqlite3.connect("", isolation_level=None)
            weakref.finalize(self, self._spilled.close)
            self._spilled.execute("CREATE TABLE post (place TEXT, path BLOB)")
        rows = []
        for path in self._paths:
            place = location(path)
            rows.append((place, None if place == path else os.fsencode(path)))
        self._spilled.execute("BEGIN")
        self._spilled.executemany("INSERT INTO post VALUES (?, ?)", rows)
        self._spilled.execute("COMMIT")
        self._paths.clear()
