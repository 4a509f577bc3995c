"""Articles and their copies, as frozen values."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

# The source of what belongs to the site itself.
NO_SOURCE = ""
# What earlier versions had in its place.
FORMER_NO_SOURCE = "unsorted"
# The first byte of a sketch's hash says in how sparse a sample it still is.
SAMPLE_BITS = 32


@dataclass(frozen=True, slots=True)
class Clues:
    """A copy's hints at its own identity, the surest first."""

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
    """Something that could not be used or had to be cut, kept until it is fixed."""

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

    `body` is the packed text as it was found, without share link and boilerplate; `raw_hash` is
    the digest of title and text.  What a copy does not know (`source` and `title` are then
    empty) comes from the article's other copies.  `published` is None if the copy has no
    date; `published_guess` then comes from its name, its code or its file, as `title_guess`
    comes from its first words.  `permalink` is the article's page on the site, `link` its
    page at its source, `share_url` its share page; `base` is the base of relative URLs in
    the text, None for the site.  `is_reread`: the file or response is one that was read before,
    so that what differs now comes from the rules of reading, and is no correction.
    """

    origin: str
    location: str
    code: str
    source: str
    source_name: str | None
    title: str
    published: datetime.datetime | None
    published_guess: datetime.datetime
    media_type: str
    raw_hash: bytes
    body: bytes
    is_full: bool = True
    permalink: str | None = None
    link: str | None = None
    share_url: str | None = None
    base: str | None = None
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()
    title_guess: str = ""
    author: str | None = None
    is_reread: bool = False


@dataclass(frozen=True)
class StoredCopy(Copy):
    """A copy as it is stored.  Its text stays in the store: `body` is empty.

    `changed` is when its text was last seen to change in its place, None if it never did.
    """

    body: bytes = b""
    body_id: int = 0
    changed: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An article as the store keeps it.

    `revision` is 0 if only its dates are known, from a published feed.  `updated` is None
    until the text first changes; until then the entry was last updated when it was
    published.  `version` counts every visible change, also of links and dates.  `link` is the
    article's own page, if that is not the share page; `base` is the base of relative URLs in
    its text, None for the site.  `page_month` is the folder of its page among the feeds,
    YYYY/MM, None until that was decided; then it never changes.
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
    author: str | None = None
    excluded_by: int | None = None
    page_month: str | None = None

    @property
    def is_withdrawn(self) -> bool:
        """Whether feeds and archives leave the article out, whatever they showed before."""
        return self.removed or self.excluded_by is not None

    @property
    def seen_at(self) -> datetime.datetime:
        """When the newest revision was first seen."""
        return self.updated if self.revision > 1 and self.updated else self.first_seen


@dataclass(frozen=True, slots=True)
class Change:
    """What merging decided: the article as it is now, and the kind of its change.

    `kind` is "new", "revised" (title or text), "metadata changed" (links, dates, source),
    "removed", "returned", "found better" (another copy of an article that is new in the
    same poll), "reread" (title or text, by other rules of reading), or "invisible" (nothing
    that shows).  `sources` are the sources whose feeds
    may look different.
    """

    article: Article
    kind: str
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Revision:
    """One numbered text of an article, as it was found."""

    code: str
    number: int
    seen_at: datetime.datetime
    title: str
    text: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Sketch:
    """A sample of the runs of characters of a text, one in `rate`, as sorted hashes.

    `rate` is a power of two up to 256, and a hash has 40 bits.
    """

    rate: int
    hashes: tuple[int, ...]

    def at(self, rate: int) -> frozenset[int]:
        """Return the hashes of the sample of one in `rate`, which is no denser."""
        limit = (256 // rate) << SAMPLE_BITS
        return frozenset(found for found in self.hashes if found < limit)
