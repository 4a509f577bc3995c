"""Sketches of recent texts, and which articles are similar."""

from __future__ import annotations

import datetime
import struct
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    bindparam,
    delete,
    select,
)

from aggregator.model.articles import Sketch
from aggregator.store import schema
from aggregator.store.dialects import Instant, Text, Whole
from aggregator.store.rows import insert_rows, insert_tuples, pieces, seconds, upsert_rows

# Articles of the last days whose text has been sampled: `hashes` are packed, and `body_id`
# says of which text they are.
sketch = Table(
    "sketch",
    schema.metadata,
    Column("code", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("published", Instant, nullable=False),
    Column("body_id", Integer, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    Index("sketch_published", "published"),
)
# Which sketches have a hash.
sample = Table(
    "sample",
    schema.metadata,
    Column("hash", Whole, primary_key=True),
    Column("code", Text, primary_key=True),
    sqlite_with_rowid=False,
)
# Pairs of articles, each in both directions.  `share` is a percentage of the shorter text, and
# `overlap` one of the longer.
similar = Table(
    "similar",
    schema.metadata,
    Column("code", Text, primary_key=True),
    Column("other", Text, primary_key=True),
    Column("share", Integer, nullable=False),
    Column("overlap", Integer, nullable=False),
    sqlite_with_rowid=False,
)
# Articles whose similar ones changed since the last whole build.
similar_changed = Table("similar_changed", schema.metadata, Column("code", Text, primary_key=True))
# One row: the rules of comparing, and up to which arrival and which time articles are compared.
comparing = Table(
    "comparing",
    schema.metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("rules", LargeBinary, nullable=False),
    Column("upto", Integer, nullable=False),
    Column("until", Instant, nullable=False),
)
TABLES = (sketch, sample, similar, similar_changed, comparing)


class SimilarArticle(NamedTuple):
    """An article that tells the same story; `share` is a percentage of the shorter text."""

    code: str
    share: int


class Compared(NamedTuple):
    """A text that is compared with others."""

    code: str
    source: str
    published: int
    body_id: int
    sketch: Sketch


class Progress(NamedTuple):
    """The rules of comparing, and up to which arrival and which time articles are compared."""

    rules: bytes
    upto: int
    until: int


def similar_to(
    connection: Connection, codes: Iterable[str], now: datetime.datetime
) -> dict[str, tuple[SimilarArticle, ...]]:
    """Return the articles that tell the same story as the given ones, by code.

    Those of an article are in the order in which they were published, and then by code.  Only
    articles that feeds show at `now` are among them.  An article without any is left out.
    """
    article = schema.article
    found: dict[str, list[SimilarArticle]] = {}
    for piece in pieces(sorted(codes)):
        rows = connection.execute(
            select(similar.c.code, similar.c.other, similar.c.share)
            .join(article, article.c.code == similar.c.other)
            .where(similar.c.code.in_(piece), schema.IS_SHOWN, article.c.published <= seconds(now))
            .order_by(article.c.published, article.c.code)
        )
        for code, other, share in rows:
            found.setdefault(code, []).append(SimilarArticle(other, share))
    return {code: tuple(others) for code, others in found.items()}


def pairs_shown(connection: Connection, now: datetime.datetime) -> dict[str, dict[str, int]]:
    """Return all pairs of similar articles that feeds show at `now`, with their shares."""
    shown = select(schema.article.c.code).where(
        schema.IS_SHOWN, schema.article.c.published <= seconds(now)
    )
    rows = connection.execute(
        select(similar.c.code, similar.c.other, similar.c.share)
        .where(similar.c.code.in_(shown), similar.c.other.in_(shown))
        .order_by(similar.c.code, similar.c.other)
    )
    found: dict[str, dict[str, int]] = {}
    for code, other, share in rows:
        found.setdefault(code, {})[other] = share
    return found


def changed_codes(connection: Connection) -> set[str]:
    """Return the articles whose set of similar ones changed since the last whole build.

    Those are among them whose similar articles show another title or link.
    """
    return set(connection.execute(select(similar_changed.c.code)).scalars())


def progress(connection: Connection) -> Progress | None:
    """Return how far articles have been compared, None if that has not begun."""
    row = connection.execute(select(comparing)).first()
    return Progress(row.rules, row.upto, row.until) if row is not None else None


def save_progress(connection: Connection, done: Progress) -> None:
    """Save how far articles have been compared."""
    upsert_rows(connection, comparing, [{"number": 1, **done._asdict()}])


def forget_all(connection: Connection) -> None:
    """Delete all that has been found out by comparing."""
    for table in TABLES:
        connection.execute(delete(table))


def is_empty(connection: Connection) -> bool:
    """Return whether there is no sketch."""
    return connection.execute(select(sketch.c.code).limit(1)).first() is None


def sketches(connection: Connection, codes: Iterable[str]) -> dict[str, Compared]:
    """Return those of the given articles that have a sketch."""
    found = {}
    for piece in pieces(sorted(codes)):
        for row in connection.execute(select(sketch).where(sketch.c.code.in_(piece))):
            hashes = struct.unpack(f"<{len(row.hashes) // 8}Q", row.hashes)
            found[row.code] = Compared(
                row.code, row.source, row.published, row.body_id, Sketch(row.rate, hashes)
            )
    return found


def sources(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """Return the sources of those of the given articles that have a sketch."""
    found: dict[str, str] = {}
    for piece in pieces(sorted(codes)):
        rows = connection.execute(
            select(sketch.c.code, sketch.c.source).where(sketch.c.code.in_(piece))
        )
        found |= {code: source for code, source in rows}  # noqa: C416  # no pairs to mypy
    return found


def sketched_before(connection: Connection, since: int) -> list[str]:
    """Return the articles with a sketch that were published before a time."""
    query = select(sketch.c.code).where(sketch.c.published < since).order_by(sketch.c.code)
    return list(connection.execute(query).scalars())


def add_sketches(connection: Connection, articles: Iterable[Compared]) -> None:
    """Save the sketches of articles that have none."""
    articles = list(articles)
    insert_rows(
        connection,
        sketch,
        [
            {
                "code": item.code,
                "source": item.source,
                "published": item.published,
                "body_id": item.body_id,
                "rate": item.sketch.rate,
                "hashes": struct.pack(f"<{len(item.sketch.hashes)}Q", *item.sketch.hashes),
            }
            for item in articles
        ],
    )
    # In the order of the key: a database appends to the end of pages more quickly.
    rows = [(found, item.code) for item in articles for found in item.sketch.hashes]
    insert_tuples(connection, sample, sorted(rows, key=itemgetter(0)))


def remove_sketches(connection: Connection, articles: Iterable[Compared]) -> None:
    """Delete sketches; what is known to be similar stays."""
    articles = list(articles)
    for piece in pieces([item.code for item in articles]):
        connection.execute(delete(sketch).where(sketch.c.code.in_(piece)))
    rows = [{"of": found, "by": item.code} for item in articles for found in item.sketch.hashes]
    if rows:
        one = (sample.c.hash == bindparam("of")) & (sample.c.code == bindparam("by"))
        connection.execute(delete(sample).where(one), sorted(rows, key=itemgetter("of")))


def holders(connection: Connection, hashes: Iterable[int], most: int) -> dict[int, set[str] | None]:
    """Return which articles have each of the given hashes; None if more than `most`.

    It reads no more rows of a hash than that, however many there are.
    """
    found: dict[int, set[str] | None] = {}
    for piece in pieces(sorted(hashes)):
        # Numbers of ours: as parameters of a statement like this they would cost more than it.
        rows = ", ".join(f"({int(item)})" for item in piece)
        beyond = connection.exec_driver_sql(
            f"WITH wanted(hash) AS (VALUES {rows}) SELECT hash FROM wanted WHERE "  # noqa: S608
            "(SELECT 1 FROM sample WHERE sample.hash = wanted.hash "
            f"LIMIT 1 OFFSET {int(most)}) IS NOT NULL"
        )
        found |= dict.fromkeys(beyond.scalars())
        few = [item for item in piece if item not in found]
        listed = ", ".join(map(str, few)) or "NULL"
        for number, code in connection.exec_driver_sql(
            f"SELECT hash, code FROM sample WHERE hash IN ({listed})"  # noqa: S608
        ):
            known = found.setdefault(number, set())
            if known is not None:
                known.add(code)
    return found


def pairs_of(connection: Connection, codes: Iterable[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """Return the similar articles of the given ones, shown or not, with share and overlap."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for piece in pieces(sorted(codes)):
        for code, other, *shares in connection.execute(
            select(similar).where(similar.c.code.in_(piece))
        ):
            found.setdefault(code, {})[other] = (shares[0], shares[1])
    return found


def save_pairs(connection: Connection, pairs: Mapping[tuple[str, str], tuple[int, int]]) -> None:
    """Save pairs in both directions, with share and overlap; a share of 0 deletes a pair."""
    both = {**pairs, **{(other, code): shares for (code, other), shares in pairs.items()}}
    rows = [
        {"code": code, "other": other, "share": share, "overlap": overlap}
        for (code, other), (share, overlap) in sorted(both.items())
    ]
    upsert_rows(connection, similar, [row for row in rows if row["share"]])
    for row in rows:
        if not row["share"]:
            pair = (similar.c.code == row["code"]) & (similar.c.other == row["other"])
            connection.execute(delete(similar).where(pair))


def note_changed(connection: Connection, codes: Iterable[str]) -> None:
    """Note that the sets of similar articles of the given ones changed."""
    upsert_rows(connection, similar_changed, [{"code": code} for code in sorted(codes)])


def forget_sketches(connection: Connection) -> None:
    """Delete all sketches, to be made again; what is known to be similar stays."""
    for table in (sketch, sample, comparing):
        connection.execute(delete(table))
