"""Pages to read: what templates are given, as frozen values."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import NamedTuple

from aggregator.model.feeds import Entry
from aggregator.model.frame import Frame


class Piece(NamedTuple):
    """Some words of a correction: `kind` is "same", "removed" or "added"."""

    kind: str
    text: str


@dataclass(frozen=True)
class Correction:
    """What a revision changed, and when: paragraphs that differ, as pieces, and the old title."""

    seen_at: datetime.datetime
    old_title: str | None
    paragraphs: tuple[tuple[Piece, ...], ...]
    is_cut: bool = False


@dataclass(frozen=True)
class FeedLink:
    """A feed to subscribe to: its name, and pairs of a format and the URL of the feed in it."""

    name: str
    urls: tuple[tuple[str, str], ...]

    @property
    def page(self) -> str | None:
        """The URL of the feed as a page to read, None if there is none."""
        return dict(self.urls).get("html")


@dataclass(frozen=True)
class ArticlePage:
    """An article's own page; `path` is relative to the feeds folder, corrections newest first."""

    frame: Frame
    path: str
    entry: Entry
    feeds: tuple[FeedLink, ...] = ()
    corrections: tuple[Correction, ...] = ()


class ListedTitle(NamedTuple):
    """An article in a list of titles; `url` may be that of a page of ours."""

    title: str
    url: str
    published: datetime.datetime
    source: str


@dataclass(frozen=True)
class Period:
    """A month, or a day of it, and the number of its articles; `name` is YYYY-MM or YYYY-MM-DD."""

    name: str
    path: str
    articles: int


@dataclass(frozen=True)
class TitleList:
    """The titles of a period, newest first, or the periods that it consists of.

    `older` and `newer` are its neighbours.
    """

    frame: Frame
    path: str
    name: str
    titles: tuple[ListedTitle, ...] = ()
    periods: tuple[Period, ...] = ()
    older: Period | None = None
    newer: Period | None = None
