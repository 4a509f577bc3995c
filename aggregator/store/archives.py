"""Which articles stand in which archive document of a feed (RFC 5005 §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from aggregator.model import Archive, FeedSpec
from aggregator.store import schema
from aggregator.store.reads import in_feed
from aggregator.store.writes import upsert_rows


class Progress(NamedTuple):
    """How far a feed's articles have been put into archives.

    All that arrived up to the article of the number `upto` are, but for those `pending`.
    """

    upto: int
    pending: tuple[str, ...]


class Arrival(NamedTuple):
    """An article as its arrival is counted."""

    number: int
    code: str
    published: int


def progress(connection: Connection, feed: str) -> Progress | None:
    """A feed's progress, None if nothing was ever archived."""
    row = connection.execute(
        select(schema.archiving).where(schema.archiving.c.feed == feed)
    ).first()
    return None if row is None else Progress(row.upto, _codes(row.pending))


def arrivals(connection: Connection, spec: FeedSpec, after: int, limit: int) -> list[Arrival]:
    """The articles of a feed that arrived after the one with the number `after`."""
    table = schema.article
    query = (
        _arrivals(spec, is_small=after > 0)
        .where(table.c.article_id > after)
        .order_by(table.c.article_id)
        .limit(limit)
    )
    return [Arrival(*row) for row in connection.execute(query)]


def arrivals_of(connection: Connection, spec: FeedSpec, codes: Iterable[str]) -> list[Arrival]:
    """Those of some articles that can stand in a feed, in the order of their arrival."""
    table = schema.article
    query = (
        _arrivals(spec, is_small=True)
        .where(table.c.code.in_(list(codes)))
        .order_by(table.c.article_id)
    )
    return [Arrival(*row) for row in connection.execute(query)]


def _arrivals(spec: FeedSpec, *, is_small: bool) -> Any:
    table = schema.article
    query = select(table.c.article_id, table.c.code, table.c.published).where(
        table.c.revision > 0, ~table.c.removed
    )
    return in_feed(query, spec, is_small=is_small)


def newest(connection: Connection, feed: str) -> Archive | None:
    """The archive document with the highest number."""
    table = schema.archive
    row = connection.execute(
        select(table).where(table.c.feed == feed).order_by(table.c.number.desc()).limit(1)
    ).first()
    return None if row is None else _archive(row)


def to_write(connection: Connection, feed: str, after: int, limit: int) -> list[Archive]:
    """Documents that may not be on disk as they should be, from the number `after` on.

    Of the open one only what it shows can tell.
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
    )
    return [_archive(row) for row in rows]


def numbers(connection: Connection, feed: str) -> list[int]:
    """The numbers of a feed's documents."""
    table = schema.archive
    return list(connection.execute(select(table.c.number).where(table.c.feed == feed)).scalars())


def save(connection: Connection, feed: str, archives: Sequence[Archive], now: Progress) -> None:
    """Save what was decided, before it is written to disk."""
    rows = [
        {
            "feed": feed,
            "number": archive.number,
            "codes": "\n".join(archive.codes),
            "is_sealed": archive.is_sealed,
            "is_written": archive.is_written,
            "fingerprint": archive.fingerprint,
        }
        for archive in archives
    ]
    if rows:
        upsert_rows(connection, schema.archive, rows)
    upsert_rows(
        connection,
        schema.archiving,
        [{"feed": feed, "upto": now.upto, "pending": "\n".join(now.pending)}],
    )


def save_written(connection: Connection, written: Iterable[tuple[str, int, bytes]]) -> None:
    """Note that documents are on disk: feed, number, and a digest of what they show."""
    table = schema.archive
    for feed, number, fingerprint in written:
        connection.execute(
            update(table)
            .where(table.c.feed == feed, table.c.number == number)
            .values(is_written=True, fingerprint=fingerprint)
        )


def write_again(connection: Connection, feed: str, numbers: Iterable[int]) -> None:
    """Have documents written again."""
    table = schema.archive
    connection.execute(
        update(table)
        .where(table.c.feed == feed, table.c.number.in_(list(numbers)))
        .values(is_written=False)
    )


def write_again_with(connection: Connection, feed: str, code: str) -> None:
    """Have the documents written again that an article stands in."""
    table = schema.archive
    connection.execute(
        update(table)
        .where(table.c.feed == feed, func.instr("\n" + table.c.codes + "\n", f"\n{code}\n") > 0)
        .values(is_written=False)
    )


def _archive(row: object) -> Archive:
    number, codes, is_sealed, is_written, fingerprint = (
        getattr(row, name) for name in ("number", "codes", "is_sealed", "is_written", "fingerprint")
    )
    return Archive(number, _codes(codes), is_sealed, is_written, fingerprint)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()
