"""What an origin promises."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from aggregator.articles.sources import SourceKeys
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Copy, Problem
from aggregator.model.polls import Batch, FileState, Response

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


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer of the upstream says.

    `pages` are share pages to read next, `next_url` is the list's next page.
    """

    copies: tuple[Copy, ...] = ()
    problems: tuple[Problem, ...] = ()
    pages: tuple[str, ...] = ()
    next_url: str | None = None


class UpstreamOrigin(Protocol):
    """URLs that copies of articles are read from.

    It decides which address to ask and what an answer means; asking is done by who
    polls it.  `rules` is as in `Origin`.
    """

    @property
    def name(self) -> str:
        """What the origin is called in the store and in messages."""
        ...

    @property
    def rules(self) -> bytes:
        """The digest of settings and of the reader's version."""
        ...

    @property
    def accept(self) -> str:
        """The Accept header of its requests."""
        ...

    def named_urls(self) -> list[str]:
        """The URLs that the configuration names, to be asked whenever they are due."""
        ...

    @property
    def window(self) -> datetime.timedelta | None:
        """For how long after publication articles' share URLs are asked; None for none."""
        ...

    def accepts(self, url: str) -> bool:
        """Whether a URL that the user names is read by this origin."""
        ...

    def is_recent(self, url: str, published: datetime.datetime, now: datetime.datetime) -> bool:
        """Whether an article of that age is read again at its share URL."""
        ...

    def pace(self, url: str) -> Pace:
        """How often a URL is asked."""
        ...

    def address(self, url: str) -> str | None:
        """What to ask for `url`; None if it is none of this origin's."""
        ...

    def heeds_robots(self, url: str) -> bool:
        """Whether robots.txt is heeded for a URL."""
        ...

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """What a successful answer with a body says.

        Raises `UnusableError` for one that says nothing of use; then all stays as it is.
        """
        ...
