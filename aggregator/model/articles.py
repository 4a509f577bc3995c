"""Articles and their copies, as frozen values."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

NO_SOURCE = "unsorted"


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
    name, its code or its file can say; `title_guess` are its first words.  `permalink`
    is the article's page on the site, `link` its page at its source, `share_url` its
    share page; `base` is what relative URLs in the text start from, None for the site.
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


@dataclass(frozen=True)
class StoredCopy(Copy):
    """A copy in the store, where its text stays: `body` is empty here.

    `changed` is when its text was last seen to read differently in the same place, None
    while it reads as it was first found.
    """

    body: bytes = b""
    body_id: int = 0
    changed: datetime.datetime | None = None


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
