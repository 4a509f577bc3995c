"""Which revision of an article is in which archive document of a feed (RFC 5005 §4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, tuple_, update

from aggregator.model.feeds import COMBINED, Archive, FeedSpec, key_of
from aggregator.store import schema
from aggregator.store.published import mark_dirty
from aggregator.store.rows import insert_rows, pieces, row_of, upsert_rows
from aggregator.store.windows import in_feed


class Arrival(NamedTuple):
    """An article and the number of its arrival."""

    number: int
    code: str
    revision: int
    published: int


def progress(connection: Connection, feed: str) -> int | None:
    """Return up to which arrival a feed's places are decided, None if it has no archive."""
    upto: int | None = connection.execute(
        select(schema.archiving.c.upto).where(schema.archiving.c.feed == feed)
    ).scalar_one_or_none()
    return upto


def unplaced(connection: Connection, feed: str) -> set[str]:
    """Return the codes of the articles before that arrival that have no place yet."""
    table = schema.unplaced
    return set(connection.execute(select(table.c.code).where(table.c.feed == feed)).scalars())


def arrivals(connection: Connection, spec: FeedSpec, after: int, limit: int) -> list[Arrival]:
    """Return the articles of a feed that arrived after number `after`, in that order."""
    table = schema.article
    query = (
        _arrivals(spec, is_small=after > 0)
        .where(table.c.article_id > after)
        .order_by(table.c.article_id)
        .limit(limit)
    )
    return [Arrival(*row) for row in connection.execute(query)]


def arrivals_of(connection: Connection, spec: FeedSpec, codes: Collection[str]) -> list[Arrival]:
    """Return those of the given articles that a feed can have, in the order of their arrival."""
    table = schema.article
    found: list[Arrival] = []
    for piece in pieces(sorted(codes)):
        query = _arrivals(spec, is_small=True).where(table.c.code.in_(piece))
        found += [Arrival(*row) for row in connection.execute(query)]
    return sorted(found)


def _arrivals(spec: FeedSpec, *, is_small: bool) -> Any:
    table = schema.article
    query = select(table.c.article_id, table.c.code, table.c.revision, table.c.published).where(
        schema.IS_SHOWN
    )
    return in_feed(query, spec, is_small=is_small)


def placed(connection: Connection, feed: str, codes: Collection[str]) -> set[tuple[str, int]]:
    """Return the revisions of the given articles that have a place: (code, revision)."""
    table = schema.place
    found: set[tuple[str, int]] = set()
    for piece in pieces(sorted(codes)):
        rows = connection.execute(
            select(table.c.code, table.c.revision).where(
                table.c.feed == feed, table.c.code.in_(piece)
            )
        ).all()
        found.update((code, revision) for code, revision in rows)
    return found


def in_archives(connection: Connection, sources: Mapping[str, str]) -> set[str]:
    """Return which articles, of those with their sources by code, have a place in an archive."""
    table, selected = schema.place, schema.selected
    pairs = [(COMBINED, code) for code in sources]
    pairs += [(key_of("source", source), code) for code, source in sources.items()]
    for piece in pieces(sorted(sources)):
        query = select(selected.c.feed, selected.c.code).where(selected.c.code.in_(piece))
        pairs += [(feed, code) for feed, code in connection.execute(query)]
    found: set[str] = set()
    for some in pieces(pairs):
        place = tuple_(table.c.feed, table.c.code).in_(some)
        found.update(connection.execute(select(table.c.code).where(place)).scalars())
    return found


def newest(connection: Connection, feed: str) -> Archive | None:
    """Return a feed's archive document with the highest number, None if it has none."""
    table = schema.archive
    rows = connection.execute(
        select(table).where(table.c.feed == feed).order_by(table.c.number.desc()).limit(1)
    ).all()
    return next(iter(_archives(connection, feed, rows)), None)


def newest_number(connection: Connection, feed: str) -> int | None:
    """Return the highest number of a feed's documents, None if it has none."""
    table = schema.archive
    number: int | None = connection.execute(
        select(table.c.number).where(table.c.feed == feed).order_by(table.c.number.desc()).limit(1)
    ).scalar_one_or_none()
    return number


def to_write(connection: Connection, feed: str, after: int, limit: int) -> list[Archive]:
    """Return the documents after number `after` that may be missing or outdated on disk.

    The open document is always among them: only its contents can tell.
    """
    table = schema.archive
    rows = connection.execute(
        select(table)
        .where(
            table.c.feed == feed,
            table.c.number > after,
            ~table.c.is_written | ~table.c.is_sealed,
        )
        .order_by(table.c.number)
        .limit(limit)
    ).all()
    return _archives(connection, feed, rows)


def written(connection: Connection) -> list[tuple[str, int]]:
    """Return all documents that are written: feed and number."""
    table = schema.archive
    rows = connection.execute(select(table.c.feed, table.c.number).where(table.c.is_written))
    return [(feed, number) for feed, number in rows]


def save(connection: Connection, feed: str, archives: Sequence[Archive]) -> None:
    """Save documents, before they are written to disk."""
    rows = [row_of(archive, schema.archive, feed=feed) for archive in archives]
    upsert_rows(connection, schema.archive, rows)


def save_places(
    connection: Connection,
    feed: str,
    number: int,
    places: Iterable[tuple[str, int]],
    *,
    is_begun: bool = False,
) -> None:
    """Add revisions to a document, after those in it if it `is_begun`: (code, revision)."""
    table = schema.place
    last = None
    if is_begun:
        last = connection.execute(
            select(func.max(table.c.position)).where(table.c.feed == feed, table.c.number == number)
        ).scalar_one_or_none()
    rows = [
        {
            "feed": feed,
            "code": code,
            "revision": revision,
            "number": number,
            "position": position,
        }
        for position, (code, revision) in enumerate(places, 0 if last is None else last + 1)
    ]
    insert_rows(connection, table, rows)


def save_progress(
    connection: Connection, feed: str, upto: int, before: set[str], now: set[str]
) -> None:
    """Save up to which arrival places are decided, and which articles before it have none."""
    upsert_rows(connection, schema.archiving, [{"feed": feed, "upto": upto}])
    table = schema.unplaced
    for piece in pieces(sorted(before - now)):
        connection.execute(delete(table).where(table.c.feed == feed, table.c.code.in_(piece)))
    insert_rows(connection, table, [{"feed": feed, "code": code} for code in sorted(now - before)])


def save_written(connection: Connection, documents: Iterable[tuple[str, int, bytes]]) -> None:
    """Save that documents are on disk: feed, number, and a digest of what each shows."""
    table = schema.archive
    rows = [
        {"in_feed": feed, "with_number": number, "fingerprint": fingerprint}
        for feed, number, fingerprint in documents
    ]
    if rows:
        connection.execute(
            update(table)
            .where(table.c.feed == bindparam("in_feed"), table.c.number == bindparam("with_number"))
            .values(is_written=True, fingerprint=bindparam("fingerprint")),
            rows,
        )


def write_again(connection: Connection, feed: str, numbers: Collection[int]) -> None:
    """Have documents written again, by whichever build is the first that ends."""
    mark_dirty(connection, [feed])
    table = schema.archive
    for piece in pieces(sorted(numbers)):
        connection.execute(
            update(table)
            .where(table.c.feed == feed, table.c.number.in_(piece))
            .values(is_written=False)
        )


def remove_places(connection: Connection, feed: str, places: Collection[tuple[str, int]]) -> None:
    """Remove the given revisions from their documents: (code, revision)."""
    table = schema.place
    for code, revision in places:
        connection.execute(
            delete(table).where(
                table.c.feed == feed, table.c.code == code, table.c.revision == revision
            )
        )


def withdraw(connection: Connection, codes: Collection[str]) -> None:
    """Remove articles from the documents of all feeds, and have these written again.

    A feed that an article has left may still have it in a document.
    """
    table = schema.place
    # Places are found by feed and code, not by code alone.
    feeds = select(schema.archiving.c.feed)
    for piece in pieces(sorted(codes)):
        ours = table.c.feed.in_(feeds) & table.c.code.in_(piece)
        numbers: dict[str, set[int]] = {}
        for feed, number in connection.execute(select(table.c.feed, table.c.number).where(ours)):
            numbers.setdefault(feed, set()).add(number)
        connection.execute(delete(table).where(ours))
        for feed, found in numbers.items():
            write_again(connection, feed, found)


def _archives(connection: Connection, feed: str, rows: Sequence[Any]) -> list[Archive]:
    """Return rows of documents as values, with the places in them."""
    table = schema.place
    places: dict[int, list[tuple[str, int]]] = {row.number: [] for row in rows}
    if places:
        found = connection.execute(
            select(table.c.number, table.c.code, table.c.revision)
            .where(table.c.feed == feed, table.c.number.in_(list(places)))
            .order_by(table.c.number, table.c.position)
        ).all()
        for number, code, revision in found:
            places[number].append((code, revision))
    return [
        Archive(
            row.number, tuple(places[row.number]), row.is_sealed, row.is_written, row.fingerprint
        )
        for row in rows
    ]


def documents_of(connection: Connection, code: str) -> list[tuple[str, int]]:
    """Return the archive documents that have an article: feed and number."""
    table = schema.place
    rows = connection.execute(
        select(table.c.feed, table.c.number)
        .where(table.c.code == code)
        .order_by(table.c.feed, table.c.number)
    )
    return [(feed, number) for feed, number in rows]
