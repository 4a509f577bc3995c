"""Feeds and their entries, as frozen values, in the terms of RFC 4287."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from aggregator.model.articles import Enclosure


@dataclass(frozen=True)
class SourceName:
    """A source as feeds name it; `slug` is safe as a file name (design §6)."""

    key: str
    slug: str
    name: str


@dataclass(frozen=True)
class Entry:
    """One entry of a feed, in the terms of RFC 4287 §4.1.2."""

    id: str
    title: str
    published: datetime.datetime
    updated: datetime.datetime
    source: SourceName
    content: str
    alternate: str
    via: str | None = None
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True)
class FeedSpec:
    """What a feed is, before it has entries.  `source` is None for the combined one."""

    key: str
    path: str
    source: str | None
    limit: int


@dataclass(frozen=True)
class FeedOrigin:
    """A source's own feed, as `atom:source` names it in the combined feed."""

    id: str
    title: str
    self_url: str
    updated: datetime.datetime


@dataclass(frozen=True)
class FeedDocument:
    """A feed, ready for any format: newest entry first (RFC 4287 §4.1.1).

    `origins` has the feed of each entry's source, by the source's key, where entries of
    several sources stand together.
    """

    id: str
    self_url: str
    alternate: str
    title: str
    subtitle: str | None
    language: str
    updated: datetime.datetime
    author: str
    entries: tuple[Entry, ...]
    icon: str | None = None
    logo: str | None = None
    origins: Mapping[str, FeedOrigin] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedState:
    """What a feed showed when it was last published: the manifest's row.

    `title` is the source's name, `rules` a digest of the settings that it was built
    with, `size` and `mtime_ns` are those of the file left on disk, and `checked_at` is
    until when articles that were held back have been looked at.
    """

    key: str
    path: str
    title: str
    rules: bytes
    fingerprint: bytes
    entries: int
    updated: datetime.datetime
    size: int
    mtime_ns: int
    checked_at: datetime.datetime
