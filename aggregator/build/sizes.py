"""How many entries a feed shows so that no document of it is larger than `feeds: max_bytes`.

How large a document becomes is known once it is rendered.  A worker that finds one too large
writes nothing, but says how many entries fit; then the feed is planned again with so many, so
that the others go into its archive.  The number is that of the newest entries that fit in every
format, hence the same for the same articles.  It is kept in the manifest with a digest of the
whole window, so that an unchanged feed is not rendered to be measured again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from aggregator.build.context import Context
from aggregator.model.articles import Article
from aggregator.model.digests import digest_of
from aggregator.model.feeds import FeedSpec
from aggregator.model.formats import FORMATS
from aggregator.store.windows import window_of

# What surrounds the entries is counted in steps: a link to a first archive document, or the
# next digit of its number, must not move an entry.
STEP = 4096
# More than any format writes after its last entry.
END = 64


def entries_that_fit(documents: Mapping[str, bytes], count: int, max_bytes: int) -> int:
    """Return how many of `count` entries fit into documents of `max_bytes`, at least one.

    `documents` are of the same entries, by format.  A format that does not say how its entries
    begin is not limited.
    """
    return min(
        (_fitting(name, data, count, max_bytes) for name, data in documents.items()), default=count
    )


def _fitting(format: str, data: bytes, count: int, max_bytes: int) -> int:
    if len(data) + 2 * STEP <= max_bytes:
        return count
    starts = _starts(data, FORMATS[format].entry)
    if len(starts) != count or count < 2:
        return count
    around = starts[0] + END
    room = max_bytes - (around + STEP - around % STEP)
    ends = (*starts[1:], len(data))
    return max(1, sum(end - starts[0] <= room for end in ends))


def _starts(data: bytes, mark: bytes) -> list[int]:
    """Return the offsets at which entries begin."""
    found: list[int] = []
    position = data.find(mark) if mark else -1
    while position >= 0:
        found.append(position)
        position = data.find(mark, position + len(mark))
    return found


@dataclass(slots=True)
class Limits:
    """The feeds of one build that show fewer entries than their window has.

    `fitting` is how many entries fit, by the keys of those that were found too large in this
    build, and `whole` the digests of windows that are cut, as in `FeedState`.
    """

    fitting: dict[str, int] = field(default_factory=dict)
    whole: dict[str, bytes] = field(default_factory=dict)

    def window(self, context: Context, connection: Connection, spec: FeedSpec) -> list[Article]:
        """Return the articles that a feed shows, as far as it is known how many fit."""
        window = window_of(connection, spec, context.now)
        count, state = self.fitting.get(spec.key), context.manifest.get(spec.key)
        before = state.whole if state is not None and not context.full else b""
        self.whole[spec.key] = b""
        if count is None and not before:
            return window
        digest = _digest(context.publication.rules(spec), window)
        if count is None:
            count = state.entries if state is not None and digest == before else None
        if count is None or count >= len(window):
            return window
        self.whole[spec.key] = digest
        return window[:count]


def _digest(rules: bytes, window: Iterable[Article]) -> bytes:
    """Return a digest of all articles that a feed would show if it had no limit of size."""
    return digest_of((rules, [(item.code, item.revision, item.version) for item in window]))
