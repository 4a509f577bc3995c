"""Which articles leave a feed's window, and into which archive document they go (RFC 5005 §4).

Documents fill in the order in which articles arrived; a full one is sealed when the next
one is begun.  What was decided is stored before it is written to disk, so that a crash
in between repeats the same documents.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from sqlalchemy import Connection

from aggregator.feeds import Publication
from aggregator.model import Archive, FeedSpec
from aggregator.publish.compression import ENDINGS
from aggregator.store import archives
from aggregator.store.archives import Progress

PAGE = 5_000
MAX_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What the last polls did to articles that had arrived before.

    Those that come `again` have words, or a feed, that older documents do not show;
    `removed` ones are to be shown nowhere.  `last_arrival` is the newest article's number.
    """

    again: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    last_arrival: int = 0


def assign(newest: Archive | None, codes: Sequence[str], size: int) -> list[Archive]:
    """Put articles into documents of `size`; return the documents that this changes.

    >>> [(a.number, a.codes, a.is_sealed) for a in assign(Archive(1, ("a",)), "bcd", 2)]
    [(1, ('a', 'b'), True), (2, ('c', 'd'), False)]
    """
    if not codes:
        return []
    current = newest or Archive(1, ())
    changed = []
    rest = list(codes)
    while rest:
        room = 0 if current.is_sealed else max(size - len(current.codes), 0)
        if not room:
            if current.is_sealed:
                current = Archive(current.number + 1, ())
            else:
                changed.append(replace(current, is_sealed=True, is_written=False))
                current = Archive(current.number + 1, ())
            continue
        current = replace(current, codes=(*current.codes, *rest[:room]), is_written=False)
        rest = rest[room:]
    return [*changed, current]


def update(
    connection: Connection,
    publication: Publication,
    spec: FeedSpec,
    shown: Collection[str],
    changes: Changes,
    directory: Path,
    now: datetime.datetime,
) -> None:
    """Decide where the articles go that a feed does not show any more.

    `shown` are the codes in its window.
    """
    feed, moment = spec.key, int(now.timestamp())
    known = archives.progress(connection, feed)
    adopted = _adopt(connection, publication, spec, directory) if known is None else set()
    upto, pending = known or Progress(0, ())
    newest = archives.newest(connection, feed)
    held = adopted.union(newest.codes if newest is not None else ())
    waiting = [code for code in {*pending, *changes.again} if code not in held or code in pending]
    old = archives.arrivals_of(connection, spec, waiting) if waiting else []
    while True:
        new = archives.arrivals(connection, spec, upto, PAGE)
        arrived = {item.code: item for item in (*old, *new)}.values()
        leaving = [
            item.code
            for item in arrived
            if item.code not in shown and item.published <= moment and item.code not in adopted
        ]
        gone = {*leaving, *adopted}
        rest = Progress(
            new[-1].number if len(new) == PAGE else max(changes.last_arrival, upto),
            tuple(item.code for item in arrived if item.code not in gone),
        )
        changed = assign(newest, leaving, spec.limit)
        if changed or rest != known:
            archives.save(connection, feed, changed, rest)
        newest = changed[-1] if changed else newest
        if len(new) < PAGE:
            break
        upto, known = rest.upto, rest
        old = archives.arrivals_of(connection, spec, rest.pending)
    for code in changes.removed:
        archives.write_again_with(connection, feed, code)


def check_files(
    connection: Connection, publication: Publication, spec: FeedSpec, directory: Path
) -> None:
    """Have those documents written again that are not there any more, packed or not."""
    endings = ("", *(ENDINGS[coding] for coding in publication.codings))
    missing = [
        number
        for number in archives.numbers(connection, spec.key)
        if not all(
            (directory / (publication.archive_path(spec, number) + ending)).exists()
            for ending in endings
        )
    ]
    archives.write_again(connection, spec.key, missing)


def _adopt(
    connection: Connection, publication: Publication, spec: FeedSpec, directory: Path
) -> set[str]:
    """Take over documents that an earlier store has left; return the codes in them.

    They stay as they are: some of their articles may be known from them alone.
    """
    found = []
    for number in count(1):
        path = directory / publication.archive_path(spec, number)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES)
        except OSError:
            break
        found.append(
            Archive(number, tuple(_codes(data, publication)), is_sealed=True, is_written=True)
        )
    if found:
        archives.save(connection, spec.key, found, Progress(0, ()))
    return {code for archive in found for code in archive.codes}


def _codes(data: bytes, publication: Publication) -> Iterable[str]:
    from aggregator.publish.read_back import dated_entries

    prefix = f"tag:{publication.tag}:"
    for entry in dated_entries(data, ".atom"):
        if entry.id.startswith(prefix):
            yield entry.id.removeprefix(prefix)
