"""What a poll asks and finds, as frozen values."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from aggregator.model.articles import Copy, Problem


class FileState(NamedTuple):
    """What a post file looked like when it was last read.

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
    that robots.txt closes are not asked for unless `heed_robots` is False.  `key` is for
    whoever makes the request, to know it again.
    """

    url: str
    validators: Validators = Validators()
    accept: str = "*/*"
    heed_robots: bool = True
    key: str = ""


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
    """What an origin found in one piece of a poll.

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
