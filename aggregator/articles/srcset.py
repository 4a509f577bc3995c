"""The attribute `srcset`: pictures of several sizes (HTML Standard §4.8.4.2).  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# More sizes of one picture than this help nobody.
MAX_CANDIDATES = 64
# In pixels; a wider picture is for screens, not for a reader that shows only `src`.
WIDE = 1600
_URL = re.compile(r"[\s,]*([^\s,]\S*)")
_DESCRIPTOR = re.compile(r"[^,(]*(?:\([^)]*\)?[^,(]*)*")
_SIZE = re.compile(r"(\d{1,9}|\d{0,9}\.\d{1,9})([wx])(?:\s+\d{1,9}h)?", re.ASCII)


class Candidate(NamedTuple):
    """A URL, and the size of its picture, such as `2x` or `640w`; none means `1x`."""

    url: str
    size: str = ""


def candidates(value: str) -> Iterator[Candidate]:
    """Yield the candidates of a `srcset`, without those of a size that nobody understands.

    >>> list(candidates("a,b.jpg 1x,c.jpg 2x"))
    [Candidate(url='a,b.jpg', size='1x'), Candidate(url='c.jpg', size='2x')]
    """
    position = 0
    for _ in range(MAX_CANDIDATES):
        found = _URL.match(value, position)
        if found is None:
            return
        url, size, position = found[1], "", found.end()
        if url.endswith(","):
            url = url.rstrip(",")
        else:
            rest = _DESCRIPTOR.match(value, position)
            size, position = (rest[0].strip(), rest.end()) if rest else ("", position)
        if not size or _SIZE.fullmatch(size):
            yield Candidate(url, size)


def text_of(found: Iterable[Candidate]) -> str:
    """Return candidates as a `srcset`."""
    return ", ".join(f"{url} {size}".rstrip() for url, size in found)


def best(value: str) -> str | None:
    """Return the URL to show where one picture must do: the widest of up to 1,600 pixels."""
    fitting: list[tuple[float, str]] = []
    others: list[tuple[float, str]] = []
    for url, size in candidates(value):
        match = _SIZE.fullmatch(size)
        number, unit = (float(match[1]), match[2]) if match else (1.0, "x")
        (others if unit == "w" and number > WIDE else fitting).append((number, url))
    if fitting:
        return max(fitting, key=lambda pair: pair[0])[1]
    return min(others, key=lambda pair: pair[0])[1] if others else None
