"""The interfaces of origins."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from aggregator.articles.sources import SourceKeys
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Copy, Problem
from aggregator.model.polls import Batch, Cadence, Client, FileState, Response
from aggregator.model.reports import Progress


class Origin(Protocol):
    """A place that copies of articles are read from.

    `rules` is a digest of all that reading depends on, apart from the origin's own state: if
    it differs from the stored one, everything is read again.
    """

    @property
    def name(self) -> str:
        """The origin's name in the store and in messages."""
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
        """Yield what changed since `known`, in batches that are complete in themselves.

        Raises `OriginError` if the origin as a whole cannot be read; then none of its copies
        may be taken as gone.
        """
        ...

    def posts_among(self, paths: Iterable[str]) -> list[str] | None:
        """Return which of these paths below the origin are those of posts, in the store's order.

        None if only a poll of the whole origin can tell.
        """
        ...

    def poll_files(
        self, posts: Sequence[str], known: Iterable[FileState], now: datetime.datetime
    ) -> Iterator[Batch]:
        """Yield what changed of a few files, as `poll` does of all.

        `posts` are what `posts_among` returned, `known` is what was known of all those paths.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a response says.

    `pages` are share pages to fetch next, `next_url` is the list's next page,
    `cadence` how often a feed says that it should be requested, `feeds` the number of those in
    a list of feeds, and `document` the list itself, to be shared with other machines.
    """

    copies: tuple[Copy, ...] = ()
    problems: tuple[Problem, ...] = ()
    pages: tuple[str, ...] = ()
    next_url: str | None = None
    cadence: Cadence | None = None
    feeds: int = 0
    document: bytes | None = None


class UpstreamOrigin(Protocol):
    """URLs that copies of articles are read from.

    It decides which URL to request and what a response means; the poller sends the requests.
    `rules` is as in `Origin`.
    """

    @property
    def name(self) -> str:
        """The origin's name in the store and in messages."""
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
        """Return the URLs that the configuration names."""
        ...

    @property
    def is_urgent(self) -> bool:
        """Whether what was read has been lost: URLs that do not fail are due at once."""
        ...

    @property
    def window(self) -> datetime.timedelta | None:
        """For how long after publication articles' share URLs are polled; None if they are not."""
        ...

    def accepts(self, url: str) -> bool:
        """Return whether this origin can read a URL that the user names."""
        ...

    def is_recent(self, url: str, published: datetime.datetime, now: datetime.datetime) -> bool:
        """Return whether an article of that age is fetched again from its share URL."""
        ...

    def pace(self, url: str) -> Pace:
        """Return how often a URL is requested."""
        ...

    def address(self, url: str) -> str | None:
        """Return the URL to request for `url`, None if this origin cannot read it."""
        ...

    def obeys_robots(self, url: str) -> bool:
        """Return whether robots.txt is obeyed for a URL."""
        ...

    def client(self, url: str) -> Client:
        """Return the User-Agent, headers and proxy for a URL."""
        ...

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """Parse a successful response with a body.

        Raises `UnusableError` if the response is unusable; nothing is changed then.
        """
        ...
