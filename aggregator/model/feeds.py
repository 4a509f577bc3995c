"""Feeds and their entries, as frozen values, in the terms of RFC 4287."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from aggregator.model.articles import Enclosure


@dataclass(frozen=True)
class SourceName:
    """A source as feeds name it; `slug` is safe as a file name."""

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
    """What a feed is, before it has entries.

    `kind` is "all", "source", "tag" or "extra", and `subject` says which one: the key of
    the source, the tag, the name in the configuration.  `stem` is the path of its files
    less their endings.
    """

    key: str
    stem: str
    kind: str
    subject: str
    limit: int

    @property
    def source(self) -> str | None:
        """The key of the one source whose entries it has, None if it has those of several."""
        return self.subject if self.kind == "source" else None


@dataclass(frozen=True)
class FeedOrigin:
    """A source's own feed, as `atom:source` names it in feeds of several sources.

    `urls` are its addresses by format.  `updated` is None in archives, where an entry's
    source counts as updated when the entry was: such a document must not depend on what
    its sources publish later.
    """

    id: str
    title: str
    urls: Mapping[str, str]
    updated: datetime.datetime | None = None


@dataclass(frozen=True)
class ArchivePlace:
    """Where a document stands among those of its feed (RFC 5005 §4).

    `current` is the address of the feed that people subscribe to, None in that one
    itself; `previous` leads to older entries, `next` to newer ones.
    """

    current: str | None = None
    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True)
class FeedDocument:
    """A feed, ready for any format: newest entry first (RFC 4287 §4.1.1).

    `urls` are its addresses by format; `hubs` those of WebSub; `page` is that of the
    page to subscribe from, and `root` the way from the document to the folder of that.
    `origins` has the feed of each entry's source, by the source's key, where entries of
    several sources stand together.
    """

    id: str
    urls: Mapping[str, str]
    alternate: str
    title: str
    subtitle: str | None
    language: str
    updated: datetime.datetime
    author: str
    entries: tuple[Entry, ...]
    icon: str | None = None
    logo: str | None = None
    hubs: tuple[str, ...] = ()
    page: str | None = None
    root: str = ""
    archive: ArchivePlace = ArchivePlace()
    origins: Mapping[str, FeedOrigin] = field(default_factory=dict)


@dataclass(frozen=True)
class Headline:
    """An entry in one line, for the page."""

    title: str
    url: str
    published: datetime.datetime


@dataclass(frozen=True)
class Activity:
    """What a feed has had: its articles, those of each day, and its newest entries.

    `days` are pairs of a day's ordinal and a number of articles.
    """

    articles: int = 0
    days: tuple[tuple[int, int], ...] = ()
    newest: tuple[Headline, ...] = ()


@dataclass(frozen=True)
class PublishedFile:
    """A file as it was left on disk; its path is relative to the feeds folder.

    `checksum` is the CRC-32 of its bytes.
    """

    path: str
    size: int
    mtime_ns: int
    checksum: int = -1


@dataclass(frozen=True)
class FeedState:
    """What a feed showed when it was last published: the manifest's row.

    `title` is the source's name, `rules` a digest of the settings that it was built
    with, and `checked_at` is until when articles that were held back have been looked at.
    """

    key: str
    title: str
    rules: bytes
    fingerprint: bytes
    entries: int
    updated: datetime.datetime
    checked_at: datetime.datetime
    files: tuple[PublishedFile, ...] = ()
    activity: Activity = Activity()


@dataclass(frozen=True)
class Archive:
    """A document of older entries (RFC 5005 §4).

    `places` are the code and the revision of each of its articles, in the order in which
    they were put there.  A sealed one has a successor, and takes no more; one that is not
    `is_written` is not on disk as it should be.
    """

    number: int
    places: tuple[tuple[str, int], ...]
    is_sealed: bool = False
    is_written: bool = False
    fingerprint: bytes = b""
