"""Feeds and their entries, in the terms of RFC 4287."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from aggregator.model.articles import Enclosure
from aggregator.model.frame import Frame


@dataclass(frozen=True)
class SourceName:
    """A source and its name in feeds; `slug` is safe as a file name."""

    key: str
    slug: str
    name: str


@dataclass(frozen=True)
class Image:
    """A picture at a URL; `width` and `height` are in pixels, where they are declared."""

    url: str
    width: int | None = None
    height: int | None = None
    media_type: str | None = None


@dataclass(frozen=True)
class Related:
    """Another entry that tells the same story: its title, its URL, and the name of its source."""

    title: str
    url: str
    source: str


@dataclass(frozen=True)
class Entry:
    """One entry of a feed, in the terms of RFC 4287 §4.1.2.

    `author` is the article's own, else its source.  `content` is HTML, `summary` its first
    words as plain text, and `image` the picture that stands for it.  `related` are other entries
    that tell the same story, and `more_related` is how many there are beside them.
    """

    id: str
    title: str
    published: datetime.datetime
    updated: datetime.datetime
    source: SourceName
    author: str
    content: str
    alternate: str
    via: str | None = None
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    summary: str = ""
    image: Image | None = None
    related: tuple[Related, ...] = ()
    more_related: int = 0


# The key of the feed of all sources.
COMBINED = "all"


def key_of(kind: str, subject: str) -> str:
    """Return the key of a feed of a kind other than the combined one."""
    return f"{kind}:{subject}"


@dataclass(frozen=True)
class FeedSpec:
    """A feed without its entries.

    `kind` is "all", "source", "tag" or "extra", and `subject` the key of the source, the tag,
    or the name in the configuration.  `stem` is the path of its files without an extension, and
    `limit` the most entries that it shows.
    """

    key: str
    stem: str
    kind: str
    subject: str
    limit: int

    @property
    def source(self) -> str | None:
        """The key of its source, or None for a feed of several sources."""
        return self.subject if self.kind == "source" else None


@dataclass(frozen=True)
class FeedOrigin:
    """A source's own feed, for `atom:source` in feeds of several sources.

    `urls` are by format.  `updated` is None in archive documents, where the date of the entry
    stands for it: they must not depend on what the sources publish later.
    """

    id: str
    title: str
    urls: Mapping[str, str]
    updated: datetime.datetime | None = None


@dataclass(frozen=True)
class ArchivePlace:
    """The links of a document to the others of its feed (RFC 5005 §4).

    `current` is the URL of the subscription document, None in that one itself; `previous` has
    older entries, `next` newer ones.
    """

    current: str | None = None
    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True)
class FeedDocument:
    """A feed, ready for any format: newest entry first (RFC 4287 §4.1.1).

    `urls` are by format; `hubs` are those of WebSub; `page` is the URL of the index page, and
    `root` the relative path to the feeds folder.  `frame` is what a page to read needs besides.
    In a feed of several sources, `origins` has the own feed of each source, by its key.
    One that `is_excerpt` shows summaries, not texts.  `rights` is a text, and `license` a URL
    (RFC 4946).
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
    frame: Frame = field(default_factory=Frame)
    origins: Mapping[str, FeedOrigin] = field(default_factory=dict)
    is_excerpt: bool = False
    rights: str | None = None
    license: str | None = None


@dataclass(frozen=True)
class Headline:
    """An entry as the index page lists it."""

    title: str
    url: str
    published: datetime.datetime


@dataclass(frozen=True)
class Activity:
    """How many articles a feed has had, in all and by day, and its newest entries.

    `days` are pairs of a day's ordinal and a number of articles.
    """

    articles: int = 0
    days: tuple[tuple[int, int], ...] = ()
    newest: tuple[Headline, ...] = ()


@dataclass(frozen=True)
class PublishedFile:
    """A file as it was written; its path is relative to the feeds folder.

    `checksum` is the CRC-32 of its bytes.  In object storage it has an `etag`, and no time.
    """

    path: str
    size: int
    mtime_ns: int
    checksum: int = -1
    etag: str = ""


@dataclass(frozen=True)
class FeedState:
    """What a feed showed when it was last published: a row of the manifest.

    `title` is its subject's name, `rules` a digest of the settings that it was built with, and
    `checked_at` the time up to which scheduled articles are published.  `whole` is empty, or a
    digest of the window of which the first `entries` are shown, since more are too large.
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
    whole: bytes = b""


@dataclass(frozen=True)
class Archive:
    """An archive document: older entries of a feed (RFC 5005 §4).

    `places` are the code and the revision of each of its articles, in the order of their
    arrival.  A sealed document has a successor, and never gets more; one that is not
    `is_written` must be written, again or for the first time.
    """

    number: int
    places: tuple[tuple[str, int], ...]
    is_sealed: bool = False
    is_written: bool = False
    fingerprint: bytes = b""
