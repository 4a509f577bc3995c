"""The nouns, as frozen values (design §2 and §3).

Standard library and errors only.  Every `datetime` is aware and in UTC.  Values that travel between
processes have no slots: those of frozen dataclasses make pickling several times slower.
"""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from aggregator.errors import DamagedStoreError

NO_SOURCE = "unsorted"


def pack(text: str) -> bytes:
    """A text as it is stored: UTF-8, deflated at the fastest level."""
    return zlib.compress(text.encode("utf-8", "replace"), 1)


def unpack(body: bytes) -> str:
    """The text of a packed body.  Raises `DamagedStoreError` if it is none."""
    try:
        return zlib.decompress(body).decode("utf-8")
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedStoreError(f"damaged: a stored text cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Clues:
    """What a copy says of its own identity, from the surest to the weakest."""

    front_matter: str | None = None
    share_url: str | None = None
    article_url: str | None = None
    file_name: str | None = None
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """The code of an article, and the rules that named another one."""

    code: str
    disagreements: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Something that could not be used or had to be cut, kept until it is mended."""

    location: str
    reason: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to an entry (RFC 4287 §4.2.7.2); `length` is in bytes."""

    url: str
    media_type: str | None = None
    length: int | None = None


@dataclass(frozen=True)
class Copy:
    """One observation of an article.

    `body` is the packed text as it was found, less share link and boilerplate;
    `raw_hash` is that of title and text.  What a copy does not know (`source` and
    `title` are then empty) comes from the article's other copies.  `published` is None
    where the copy itself gives no date, and `published_guess` is then the best that its
    name, its code or its file can say.  `permalink` is the article's page on the site,
    `link` its page at its source, `share_url` its share page; `base` is what relative
    URLs in the text start from, None for the site.
    """

    origin: str
    location: str
    code: str
    source: str
    source_name: str | None
    title: str
    published: datetime.datetime | None
    published_guess: datetime.datetime
    body: bytes
    media_type: str
    raw_hash: bytes
    is_full: bool = True
    permalink: str | None = None
    link: str | None = None
    share_url: str | None = None
    base: str | None = None
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """A stored copy without its text: all that choosing and dating need.

    `changed` is when its text was last seen to read differently in the same place, None
    while it reads as it was first found.
    """

    body_id: int
    code: str
    origin: str
    location: str
    source: str
    source_name: str | None
    title: str
    published: datetime.datetime | None
    published_guess: datetime.datetime
    raw_hash: bytes
    is_full: bool
    link: str | None
    share_url: str | None
    categories: tuple[str, ...]
    changed: datetime.datetime | None
    media_type: str
    permalink: str | None = None
    base: str | None = None
    enclosures: tuple[Enclosure, ...] = ()


class FileState(NamedTuple):
    """What a post file looked like when it was last read (design §7).

    Where the first five fields are as they were, the file need not be opened.  `young`
    marks one that was read so soon after it was written that it may have been torn.  A
    tuple, since a poll makes one for every post there is.
    """

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    content_hash: bytes = b""
    young: bool = False


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to ask with next time (RFC 9110 §8.8), as it stood there."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A URL to ask for.

    `validators` make it a conditional request; `accept` is the header's value; pages
    that robots.txt closes are not asked for unless `heed_robots` is False.
    """

    url: str
    validators: Validators = Validators()
    accept: str = "*/*"
    heed_robots: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered, whatever the status.

    `url` is the last one of a chain of redirects, `headers` have names in lower case,
    and `body` is decoded as far as content codings go.  `body` is None for all but
    successful answers that have one.  `moved_to` is where the URL has moved for good:
    the end of the first redirects that are all permanent (301, 308).
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None = None
    validators: Validators = Validators()
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class UrlState:
    """What is known of a URL that is polled.

    `validators` are what the last body came with and `content_hash` is that body's;
    `read_at` is when it came.  `answered_at` is the last success, a 304 too.  `failures`
    are those in a row, of which `trouble` is the last.  `moved_to` is where the URL
    claims to have moved for good, and `moves` how often in a row it did.  One that
    `is_gone` (410) is not asked again.  `is_due_once` marks a page to read as soon as
    may be, whatever the age of its article.
    """

    url: str
    next_at: datetime.datetime
    validators: Validators = Validators()
    content_hash: bytes = b""
    asked_at: datetime.datetime | None = None
    answered_at: datetime.datetime | None = None
    read_at: datetime.datetime | None = None
    failures: int = 0
    trouble: str | None = None
    moved_to: str | None = None
    moves: int = 0
    is_gone: bool = False
    is_due_once: bool = False


@dataclass(frozen=True)
class Batch:
    """What an origin found in one piece of a poll (design §3).

    `read` are the locations whose earlier problems this batch replaces, `gone` those
    that are no longer there, `withdrawn` those that say themselves that they are not to
    be published, `states` the files' new states and `urls` those of URLs.  `pages` are
    share pages to read next.  `is_reread` says that the origin's rules have changed, so
    that other texts are no corrections.
    """

    origin: str
    copies: tuple[Copy, ...] = ()
    problems: tuple[Problem, ...] = ()
    read: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    states: tuple[FileState, ...] = ()
    urls: tuple[UrlState, ...] = ()
    pages: tuple[str, ...] = ()
    is_reread: bool = False


@dataclass(frozen=True, slots=True)
class Article:
    """An article as the store keeps it.

    `revision` is 0 for one that is only remembered (its dates were found in a published
    feed).  `updated` is None until the text first changed: until then an entry was last
    updated when it was published.  `version` counts every visible change, of the links
    and dates too.  `link` is the article's own page, where that is not the share page;
    `base` is what relative URLs in its text start from, None for the site.
    """

    code: str
    source: str
    source_name: str | None
    first_seen: datetime.datetime
    published: datetime.datetime
    updated: datetime.datetime | None
    revision: int
    version: int
    first_poll: int = 0
    title: str = ""
    raw_hash: bytes = b""
    body_id: int | None = None
    media_type: str = "text/html"
    link: str | None = None
    share_url: str | None = None
    categories: tuple[str, ...] = ()
    is_full: bool = True
    removed: bool = False
    base: str | None = None
    enclosures: tuple[Enclosure, ...] = ()

    @property
    def seen_at(self) -> datetime.datetime:
        """When the newest revision was first seen."""
        return self.updated if self.revision > 1 and self.updated else self.first_seen


@dataclass(frozen=True, slots=True)
class Change:
    """What a merge decided: the article as it is now, and of which kind the change is.

    `kind` is "new", "revised" (title or text), "restated" (links, dates, source),
    "removed", "returned", "found better" (another copy of an article that is new in the
    same poll), or "unseen" (nothing that shows).  `touched` are the sources whose feeds
    may look different.
    """

    article: Article
    kind: str
    touched: frozenset[str]


@dataclass(frozen=True, slots=True)
class Revision:
    """One numbered text of an article, as it was found."""

    code: str
    number: int
    seen_at: datetime.datetime
    title: str
    text: str
    media_type: str


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


@dataclass(slots=True)
class PollSummary:
    """What one poll did, counted."""

    read: int = 0
    gone: int = 0
    new: int = 0
    revised: int = 0
    restated: int = 0
    removed: int = 0
    failures: list[str] = field(default_factory=list)

    def count(self, changes: Iterable[Change]) -> None:
        """Add the kinds of `changes`."""
        for change in changes:
            match change.kind:
                case "new" | "returned":
                    self.new += 1
                case "revised":
                    self.revised += 1
                case "restated":
                    self.restated += 1
                case "removed":
                    self.removed += 1


@dataclass(slots=True)
class BuildSummary:
    """What one build did: feed paths, relative to the output folder."""

    feeds: int = 0
    written: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
