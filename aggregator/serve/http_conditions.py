"""What a request asks for beside its path: conditions, codings, ranges (RFC 9110).  Pure."""

from __future__ import annotations

import datetime
import re
from email.utils import parsedate_to_datetime
from functools import lru_cache

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_TAG = re.compile(rb'(?:W/)?("[^"]*")')


@lru_cache(maxsize=256)
def codings(accepted: bytes) -> tuple[str, ...]:
    """Of br and gzip those that an `Accept-Encoding` allows, the smaller one first (§12.5.3).

    >>> codings(b"gzip, deflate, br;q=0")
    ('gzip',)
    """
    weights: dict[str, bool] = {}
    for item in accepted.decode("latin-1").lower().split(","):
        name, _, parameters = item.partition(";")
        weight = parameters.strip().removeprefix("q=").strip()
        weights[name.strip()] = not re.fullmatch(r"0(?:\.0*)?", weight)
    rest = weights.get("*", False)
    return tuple(name for name in ("br", "gzip") if weights.get(name, rest))


@lru_cache(maxsize=256)
def is_browser(accept: bytes) -> bool:
    """Whether somebody opens a feed in a browser: a reader would name a kind of feed.

    >>> is_browser(b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    True
    """
    return b"text/html" in accept and b"atom+xml" not in accept and b"rss+xml" not in accept


def is_unchanged(
    if_none_match: bytes | None, if_modified_since: bytes | None, etag: bytes, modified: int
) -> bool:
    """Whether the client's copy is still good, so that 304 is the answer (§13.2.2).

    `modified` is in seconds since 1970.  A date that is none is passed over.
    """
    if if_none_match is not None:
        if if_none_match in (etag, b"*"):
            return True
        return etag in _TAG.findall(if_none_match)
    if if_modified_since is not None:
        since = _date(if_modified_since)
        return since is not None and modified <= since
    return False


def is_range_wanted(if_range: bytes | None, etag: bytes, modified: int) -> bool:
    """Whether a range of just this representation was meant (§13.1.5)."""
    if if_range is None:
        return True
    return if_range == etag or _date(if_range) == modified


def byte_range(header: bytes, size: int) -> tuple[int, int] | None:
    """The first and the last byte of the one range that is asked for (§14.1.2).

    None if there is no such range, or several, and all is to be sent.  Raises `ValueError`
    for one that lies outside.

    >>> byte_range(b"bytes=-5", 100)
    (95, 99)
    """
    match = _RANGE.fullmatch(header.decode("latin-1").strip())
    if match is None or (not match[1] and not match[2]):
        return None
    if not match[1]:
        first, last = max(size - int(match[2]), 0), size - 1
    else:
        first, last = int(match[1]), min(int(match[2] or size), size - 1)
        if match[2] and int(match[2]) < first:
            return None
    if first >= size or first > last:
        raise ValueError("the range is outside")
    return first, last


def _date(value: bytes) -> int | None:
    try:
        moment = parsedate_to_datetime(value.decode("latin-1"))
        return int(moment.replace(tzinfo=moment.tzinfo or datetime.UTC).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
