"""What an origin promises (design §3)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from aggregator.model import Batch, FileState

Progress = Callable[[int, int], None]


class Origin(Protocol):
    """A place that copies of articles are read from.

    `rules` is a digest of all that reading depends on beside the origin's own state:
    when it differs from the stored one, everything is read anew.
    """

    @property
    def name(self) -> str:
        """What the origin is called in the store and in messages."""
        ...

    @property
    def rules(self) -> bytes:
        """The digest of settings and of the reader's version."""
        ...

    def poll(
        self,
        known: Iterable[FileState],
        now: datetime.datetime,
        *,
        read_all: bool,
        allow_empty: bool,
        progress: Progress,
    ) -> Iterator[Batch]:
        """What changed since `known`, in batches that stand alone.

        Raises `OriginError` if the origin as a whole cannot be read; then nothing that
        it gave before may be taken as gone.
        """
        ...
