"""Which codings, media type and range a request is for (RFC 9110).  Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@lru_cache(maxsize=256)
def accepted_codings(accept_encoding: str) -> tuple[str, ...]:
    """Return which of br and gzip an `Accept-Encoding` allows, the smaller one first (§12.5.3).

    >>> accepted_codings("gzip, deflate, br;q=0")
    ('gzip',)
    """
    is_accepted: dict[str, bool] = {}
    for item in accept_encoding.lower().split(","):
        name, _, parameters = item.partition(";")
        weight = parameters.strip().removeprefix("q=").strip()
        is_accepted[name.strip()] = not re.fullmatch(r"0(?:\.0*)?", weight)
    others = is_accepted.get("*", False)
    return tuple(name for name in ("br", "gzip") if is_accepted.get(name, others))


@lru_cache(maxsize=256)
def is_browser(accept: str) -> bool:
    """Return whether an `Accept` is a browser's: a feed reader names a media type of feeds.

    >>> is_browser("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    True
    """
    return "text/html" in accept and "atom+xml" not in accept and "rss+xml" not in accept


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte of the range that a `Range` requests (§14.1.2).

    None if it is invalid, or for several ranges: all is sent then.  Raises `ValueError`
    if the range is outside of the `size` bytes.

    >>> byte_range("bytes=-5", 100)
    (95, 99)
    """
    match = _RANGE.fullmatch(header.strip())
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
