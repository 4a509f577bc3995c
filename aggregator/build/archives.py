"""Which articles leave a feed's window, and into which archive document they go (RFC 5005 §4).

Documents fill in the order in which articles arrived; a full one is sealed when the next
one is begun.  Places are stored before documents are written, and a revision has one place in
a feed, so that to decide again, after a crash or a failure of another feed, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from aggregator.build import archive_files
from aggregator.build.context import Context
from aggregator.model.feeds import Archive, FeedSpec
from aggregator.store import archive_places
from aggregator.store.archive_places import Arrival

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What the last polls changed in articles that had arrived before.

    `republished` ones have a text or a feed that older documents do not show.  `last_arrival` is
    the number of the newest article.
    """

    republished: frozenset[str] = frozenset()
    last_arrival: int = 0


def assign(newest: Archive | None, places: Sequence[tuple[str, int]], size: int) -> list[Archive]:
    """Put revisions (code, revision) into documents of `size`; return the changed documents.

    >>> [(a.number, a.places, a.is_sealed) for a in assign(Archive(1, ("a",)), "bcd", 2)]
    [(1, ('a', 'b'), True), (2, ('c', 'd'), False)]
    """
    if not places:
        return []
    current = newest or Archive(1, ())
    changed = []
    rest = tuple(places)
    while rest:
        room = 0 if current.is_sealed else size - len(current.places)
        if room <= 0:
            if not current.is_sealed:
                changed.append(replace(current, is_sealed=True, is_written=False))
            current = Archive(current.number + 1, ())
            continue
        current = replace(current, places=(*current.places, *rest[:room]), is_written=False)
        rest = rest[room:]
    return [*changed, current]


def update(
    context: Context,
    connection: Connection,
    spec: FeedSpec,
    shown: Collection[str],
    changes: Changes,
) -> None:
    """Give a place to each article that a feed no longer shows.

    `shown` are the codes in its window.
    """
    feed, moment = spec.key, int(context.now.timestamp())
    upto = archive_places.progress(connection, feed)
    if upto is None:
        upto = 0
        archive_files.adopt(context, connection, spec)
    newest = _newest(context, connection, spec)
    has_places = newest is not None
    unplaced = archive_places.unplaced(connection, feed)
    old = archive_places.arrivals_of(connection, spec, unplaced | changes.republished)
    while True:
        new = archive_places.arrivals(connection, spec, upto, BATCH)
        arrived = {item.code: item for item in (*old, *new)}.values()
        waiting = _waiting(connection, feed, arrived) if has_places else list(arrived)
        leaving = [item for item in waiting if item.code not in shown and item.published <= moment]
        newest = _place(connection, spec, newest, leaving)
        upto = new[-1].number if len(new) == BATCH else max(changes.last_arrival, upto)
        before, unplaced = unplaced, {item.code for item in waiting} - {i.code for i in leaving}
        archive_places.save_progress(connection, feed, upto, before, unplaced)
        if len(new) < BATCH:
            return
        old = archive_places.arrivals_of(connection, spec, unplaced)


def _newest(context: Context, connection: Connection, spec: FeedSpec) -> Archive | None:
    """Return the newest document, once those that a store from a backup lacks are adopted."""
    newest = archive_places.newest(connection, spec.key)
    if newest is not None:
        path = context.publication.archive_path(spec, newest.number + 1)
        if context.destination.exists(path):
            archive_files.adopt(context, connection, spec, newest.number)
            newest = archive_places.newest(connection, spec.key)
    return newest


def _waiting(connection: Connection, feed: str, arrived: Iterable[Arrival]) -> list[Arrival]:
    """Return the articles whose newest revision has no place."""
    placed = archive_places.placed(connection, feed, {item.code for item in arrived})
    return [item for item in arrived if (item.code, item.revision) not in placed]


def _place(
    connection: Connection, spec: FeedSpec, newest: Archive | None, leaving: Sequence[Arrival]
) -> Archive | None:
    """Save places for the given articles; return the newest document after that."""
    newest = _without_older(connection, spec.key, newest, {item.code for item in leaving})
    changed = assign(newest, [(item.code, item.revision) for item in leaving], spec.limit)
    archive_places.save(connection, spec.key, changed)
    for archive in changed:
        is_begun = newest is not None and archive.number == newest.number
        added = archive.places[len(newest.places) :] if newest and is_begun else archive.places
        archive_places.save_places(connection, spec.key, archive.number, added, is_begun=is_begun)
    return changed[-1] if changed else newest


def _without_older(
    connection: Connection, feed: str, newest: Archive | None, codes: set[str]
) -> Archive | None:
    """Return the open document without the older revisions of republished articles.

    Only a sealed document keeps them.
    """
    if newest is None or newest.is_sealed or codes.isdisjoint(code for code, _ in newest.places):
        return newest
    older = [place for place in newest.places if place[0] in codes]
    archive_places.remove_places(connection, feed, older)
    kept = tuple(place for place in newest.places if place not in older)
    return replace(newest, places=kept)
