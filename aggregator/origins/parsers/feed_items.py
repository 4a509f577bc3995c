"""The entries of an upstream feed, as frozen values."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from aggregator.model.articles import Enclosure
from aggregator.model.polls import Cadence


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry.

    `updated` is the date of its last change: it was published then or before.
    `unreadable_date` is the text of a date that cannot be read.  `base` is the base of
    relative URLs in its text, None if the feed does not say.
    """

    guid: str | None
    link: str | None
    title: str
    html: str
    is_full: bool
    published: datetime.datetime | None = None
    updated: datetime.datetime | None = None
    unreadable_date: str = ""
    author: str | None = None
    base: str | None = None
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed's title, site and entries, and notes for the user on what was left out."""

    title: str | None
    items: tuple[FeedItem, ...]
    notes: tuple[str, ...] = ()
    site: str | None = None
    cadence: Cadence | None = None
