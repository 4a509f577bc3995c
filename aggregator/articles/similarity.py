"""Which texts tell the same story: sketches of texts, and the share that two have in common.

A sketch is a sample of a text's runs of six characters (FracMinHash: Irber and others, 2022).
Whether a run is in the sample depends on the run alone, so that two texts have the same part of
what they share.  Pure.
"""

from __future__ import annotations

import html
import re
import unicodedata
import zlib
from collections.abc import Collection
from hashlib import blake2b
from typing import NamedTuple

from aggregator.model.articles import SAMPLE_BITS, Sketch

# Increase whenever the same text would get another sketch: all are then made again.
VERSION = 1
# Characters of a run.
RUN = 6
# A sketch has at least half as many runs, except that of a text with fewer.
AIM = 64
# One run in this many is kept at most: a longer text has more of them.
SPARSEST = 128
# A text with fewer runs has no sketch: a few words in common say nothing.
SHORTEST = 20
# Of a longer text the beginning counts.
LONGEST = 40_000

# Two texts tell the same story if they share this part of the shorter one, and so many runs of
# the sample; short ones need more, since a form with other numbers in it is much of them.
SHARE = 0.3
SHARE_OF_SHORT = 0.5
SHORT = 128
SHARED = 4

# A run that more articles have is common, and does not count: see `is_common`.
MOST_ARTICLES = 250

# None of them looks further than the next `<`: a text may be made to be slow.
_MARKUP = re.compile(r"<[^<>]*>")
_CODE = re.compile(r"<(?:script|style)\b[^<>]*>[^<]*")
_TARGET = re.compile(r"\]\([^()\s]*\)")
_WORDS = re.compile(r"\w+")


def _tables() -> tuple[tuple[bytes, bytes], ...]:
    """Return random bytes for the low and the high byte of each character of a run."""
    streams = [
        b"".join(blake2b(bytes([number, part])).digest() for part in range(4))
        for number in range(2 * RUN)
    ]
    return tuple(zip(streams[::2], streams[1::2], strict=True))


_TABLES = _tables()


NO_SKETCH = Sketch(1, ())


def sketch(text: str) -> Sketch:
    """Return the sketch of a text in HTML or Markdown, from its letters and digits alone.

    A text of fewer than 25 characters has an empty one.
    """
    words = visible(text)
    number = len(words) - RUN + 1
    if number < SHORTEST:
        return NO_SKETCH
    rate = 1
    while rate < SPARSEST and number >= AIM * rate:
        rate *= 2
    data = words.encode("utf-16-le", "surrogatepass")
    number = len(data) // 2 - RUN + 1
    sample = _sample(data, number)
    kept = _BELOW[rate].finditer(sample)
    crc32, size = zlib.crc32, 2 * RUN
    hashes = {
        sample[place] << SAMPLE_BITS | crc32(data[2 * place : 2 * place + size])
        for place in (match.start() for match in kept)
    }
    return Sketch(rate, tuple(sorted(hashes)))


def visible(text: str) -> str:
    """Return the letters and digits of a text that a reader sees, in lower case.

    Outlets differ in punctuation, width of digits, and spaces.
    """
    text = text[:LONGEST].lower()
    if "<script" in text or "<style" in text:
        text = _CODE.sub("", text)
    if "](" in text:
        text = _TARGET.sub("]", text)
    text = _MARKUP.sub("", text)
    if "&" in text:
        text = html.unescape(text)
    words = "".join(_WORDS.findall(text)).replace("_", "")
    return unicodedata.normalize("NFKC", words)


# By how sparse a sample is: the bytes that are in it.
_BELOW = {
    rate: re.compile(b"[\\x00-" + f"\\x{256 // rate - 1:02x}".encode() + b"]", re.DOTALL)
    for rate in (1, 2, 4, 8, 16, 32, 64, 128)
}


def _sample(data: bytes, number: int) -> bytes:
    """Return a byte for each run of characters in UTF-16, as if by chance, but by the run alone.

    It is the XOR of a table's byte for each byte of the run (tabulation hashing: Pătraşcu and
    Thorup, 2012), computed for all runs at once by numbers as long as the text.
    """
    low, high = data[::2], data[1::2]
    mixed = 0
    for offset, (of_low, of_high) in enumerate(_TABLES):
        end = offset + number
        mixed ^= int.from_bytes(low[offset:end].translate(of_low), "little")
        mixed ^= int.from_bytes(high[offset:end].translate(of_high), "little")
    return mixed.to_bytes(number, "little")


class Shares(NamedTuple):
    """How much of the shorter and of the longer of two texts stands in the other, in percent."""

    shorter: int
    longer: int


NOTHING = Shares(0, 0)


def shares_of(one: Sketch, other: Sketch, common: Collection[int] = ()) -> Shares:
    """Return how much two texts have in common, or `NOTHING` if that says nothing.

    Runs in `common`, which very many articles have, do not count.
    """
    rate = max(one.rate, other.rate)
    first, second = one.at(rate), other.at(rate)
    shared = len((first & second).difference(common))
    if shared < SHARED:
        return NOTHING
    shorter, longer = sorted((len(first), len(second)))
    if shared < shorter * (SHARE_OF_SHORT if shorter * rate < SHORT else SHARE):
        return NOTHING
    return Shares(100 * shared // shorter, 100 * shared // longer)


def is_common(articles: int, sources: int) -> bool:
    """Return whether a run that so many articles of so many sources have says nothing.

    Many outlets print one story, but few print it more than once or twice; a disclaimer or a
    form stands in an outlet again and again.
    """
    return (
        articles > MOST_ARTICLES
        or articles > 3 * max(sources, 2)
        or (articles > 50 and articles > 1.5 * sources)
    )
