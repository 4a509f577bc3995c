"""What polls request and find, as frozen values."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from aggregator.model.articles import Copy, Problem


class FileState(NamedTuple):
    """What a post file looked like when it was last read.

    If the first five fields are unchanged, the file need not be opened.  `young`: read
    within seconds of its last change, so possibly incomplete.  It is a tuple, since a poll
    makes one for every post there is.
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
    """A response's validators (RFC 9110 §8.8), as they were sent.

    `url` is the one whose response they are of, at the end of all redirects; None if it is
    the requested one.
    """

    etag: str | None = None
    last_modified: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """The User-Agent, headers and proxy of one origin's requests.

    `headers` may be secrets, and are sent to the host of `url` only: that of the origin,
    wherever redirects, moves and next pages lead.  The proxy may be a private address.
    """

    user_agent: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    proxy: str | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a feed says that it should be fetched: `ttl`, `sy:*`, `skipHours`, `skipDays`.

    `seconds` is the shortest time between two requests.  In `skip_hours` (of the day, in UTC)
    and on `skip_days` (0 is Monday) none is wanted.
    """

    seconds: int = 0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a URL.

    `validators` make it conditional; `accept` is the header's value; pages that robots.txt
    disallows are requested only if `obey_robots` is False.  `key` is the caller's own name
    for the request.
    """

    url: str
    validators: Validators = Validators()
    accept: str = "*/*"
    obey_robots: bool = True
    key: Any = ""
    client: Client = Client()


@dataclass(frozen=True, slots=True)
class Response:
    """A server's response, whatever its status.

    `url` is the last one of a chain of redirects, `headers` have names in lower case, and
    `body` has no content coding left; it is None unless the response is successful and has
    one.  `moved_to` is where the URL has moved permanently: the end of the first redirects,
    as long as these are permanent (301, 308).
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None = None
    validators: Validators = Validators()
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """The robots.txt of a site (`https://host:port`), to be renewed at `expires_at`."""

    site: str
    text: str
    expires_at: datetime.datetime
    validators: Validators = Validators()


@dataclass(frozen=True, slots=True)
class UrlState:
    """The state of a URL that is polled.

    `validators` and `content_hash` are those of the last body, which came at `read_at`.
    `answered_at` is the time of the last success, including a 304.  `failures` are those in a
    row, of which `error` is the last.  `moved_to` is where the URL says it has moved
    permanently, and `moves` how often in a row it said so.  A URL that `is_gone` (410) is not
    requested again.  `fetch_once`: fetch at the next poll, whatever the article's age.
    `cadence` is that of the last body.
    """

    url: str
    next_at: datetime.datetime
    validators: Validators = Validators()
    content_hash: bytes = b""
    requested_at: datetime.datetime | None = None
    answered_at: datetime.datetime | None = None
    read_at: datetime.datetime | None = None
    failures: int = 0
    error: str | None = None
    moved_to: str | None = None
    moves: int = 0
    is_gone: bool = False
    fetch_once: bool = False
    cadence: Cadence | None = None


@dataclass(frozen=True)
class Batch:
    """What an origin found in one piece of a poll.

    `read` are the locations whose earlier problems this batch replaces, `gone` those that no
    longer exist, `withdrawn` those that are marked as not to be published or are not posts any
    more, `states` the new states of files and `urls` those of URLs.  `pages` are share pages to
    fetch next.
    `others` counts the files of a folder that are not posts.  `lists` are the URLs and documents of
    lists of feeds.
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
    others: int = 0
    lists: tuple[tuple[str, bytes], ...] = ()
