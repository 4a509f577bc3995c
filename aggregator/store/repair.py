"""Single values of a sound store that cannot be read are repaired, or dropped one by one.

A flipped bit in a text or in a JSON value costs that value and nothing else.  What was lost
is read again from its origin; what cannot be is a problem of its article.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, insert, literal, select, update

from aggregator.model.articles import Problem
from aggregator.model.errors import DamagedStoreError
from aggregator.model.packing import pack, unpack
from aggregator.store import problems, published, schema, urls
from aggregator.store.articles import save_bodies
from aggregator.store.rows import article_from, copy_from, insert_rows, pieces

# Returns the sanitized HTML that is published of the given articles, by code.
PublishedTexts = Callable[[Collection[str]], Mapping[str, str]]
_UNDECODED = re.compile("[\ud800-\udfff]")
_FOUND = "it was read back from the published feeds"
_LOST = "the entry stays in the feeds without it, until its post or page can be read again"


@dataclass(slots=True)
class _Losses:
    """What could not be read: problems by article, and the locations to read again."""

    problems: dict[str, str] = field(default_factory=dict)
    places: set[tuple[str, str]] = field(default_factory=set)
    count: int = 0

    def add(self, code: str, reason: str) -> None:
        self.problems.setdefault(code, reason)
        self.count += 1


def repair(connection: Connection, texts: PublishedTexts, now: datetime.datetime) -> int:
    """Drop all values that cannot be read; return how many there were.

    Each is a problem of its article, which ends when the article is read again.  If the
    whole record of an article is dropped, only its copies are left.
    """
    losses = _Losses()
    # An index that differs from its table passes `quick_check`, and fails in queries.
    connection.exec_driver_sql("REINDEX")
    with _any_text(connection):
        _repair_rows(connection, losses)
        _repair_texts(connection, losses, texts)
    copy = schema.copy
    for piece in pieces(list(losses.problems)):
        rows = connection.execute(
            select(copy.c.origin, copy.c.location).where(copy.c.code.in_(piece))
        )
        losses.places.update((origin, location) for origin, location in rows)
    _read_again(connection, losses.places)
    if losses.count:
        published.mark_dirty(connection, connection.execute(select(schema.feed.c.key)).scalars())
    problems.note_losses(
        connection, [Problem(code, reason) for code, reason in losses.problems.items()], now
    )
    return losses.count


def _repair_rows(connection: Connection, losses: _Losses) -> None:
    """Empty the lists of rows that cannot be read, or delete such a row if that does not help."""
    for table, read, what in (
        (schema.article, article_from, "its record"),
        (schema.copy, copy_from, "the record of a copy"),
    ):
        key = next(iter(table.primary_key))
        for row in _unreadable(connection, table, read):
            number = getattr(row, key.name)
            losses.add(row.code, f"a value of {what} cannot be read in the store")
            values = {"categories": "[]", "enclosures": "[]", **_decoded(row)}
            connection.execute(update(table).where(key == number).values(values))
            repaired = connection.execute(select(table).where(key == number)).one()
            if _fails(read, repaired):
                if table is schema.copy:
                    losses.places.add((row.origin, row.location))
                connection.execute(delete(table).where(key == number))
    for row in _unreadable(connection, schema.feed, published.activity_from):
        losses.count += 1
        connection.execute(delete(schema.feed).where(schema.feed.c.key == row.key))
    for row in _unreadable(connection, urls.url_table, urls.state_from):
        losses.count += 1
        table = urls.url_table
        connection.execute(
            delete(table).where(table.c.origin == row.origin, table.c.url == row.url)
        )


def _repair_texts(connection: Connection, losses: _Losses, texts: PublishedTexts) -> None:
    """Delete texts that cannot be unpacked, and what refers to texts that are missing."""
    body, rendition = schema.body, schema.rendition
    bad = [row.body_id for row in _unreadable(connection, body, lambda row: unpack(row.text))]
    for piece in pieces(bad):
        connection.execute(delete(body).where(body.c.body_id.in_(piece)))
    codes = [row.code for row in _unreadable(connection, rendition, lambda row: unpack(row.html))]
    for piece in pieces(codes):
        connection.execute(delete(rendition).where(rendition.c.code.in_(piece)))
    losses.count += len(codes)
    there = select(body.c.body_id)
    copy, article, revision = schema.copy, schema.article, schema.revision
    for row in connection.execute(select(copy).where(copy.c.body_id.not_in(there))).all():
        losses.add(row.code, "the text of a copy cannot be read in the store")
        losses.places.add((row.origin, row.location))
        connection.execute(delete(copy).where(copy.c.copy_id == row.copy_id))
    for row in connection.execute(
        select(revision.c.code, revision.c.number).where(revision.c.body_id.not_in(there))
    ).all():
        losses.count += 1
        connection.execute(
            delete(revision).where(revision.c.code == row.code, revision.c.number == row.number)
        )
    lost = list(
        connection.execute(
            select(article.c.code).where(
                article.c.body_id.is_not(None), article.c.body_id.not_in(there)
            )
        ).scalars()
    )
    found = texts(lost) if lost else {}
    for code in lost:
        values: dict[str, object] = {"body_id": None}
        if code in found:
            number = save_bodies(connection, [pack(found[code])])[0]
            values = {"body_id": number, "media_type": "text/html", "base": None}
        losses.problems.pop(code, None)
        ending = _FOUND if code in found else _LOST
        losses.add(code, f"its text cannot be read in the store; {ending}")
        connection.execute(update(article).where(article.c.code == code).values(values))


def read_everything_again(connection: Connection) -> None:
    """Have every post and page read again, and every feed built."""
    copy, file, article = schema.copy, schema.file, schema.article
    connection.execute(delete(schema.origin))
    # Without a state of its file, nobody would notice that a copy is gone.
    states = select(
        copy.c.origin,
        copy.c.location,
        *(literal(number) for number in (-1, 0, 0, 0)),
        literal(b""),
        literal(False),
    ).where(copy.c.origin.startswith("posts:"))
    connection.execute(insert(file).prefix_with("OR IGNORE").from_select(list(file.c), states))
    places = connection.execute(select(copy.c.origin, copy.c.location)).all()
    _read_again(connection, [(origin, location) for origin, location in places])
    sources = connection.execute(select(article.c.source).distinct()).scalars().all()
    connection.execute(delete(schema.dirty_source))
    if sources:
        insert_rows(connection, schema.dirty_source, [{"source": source} for source in sources])
    published.mark_dirty(connection, connection.execute(select(schema.feed.c.key)).scalars())
    # Articles that have a place in the archives keep it.
    changed = select(article.c.code, literal(True))
    connection.execute(
        insert(schema.changed).prefix_with("OR REPLACE").from_select(["code", "again"], changed)
    )
    # An article is new in the poll with its number, so no later poll may have that number.
    last = connection.execute(select(func.max(article.c.first_poll))).scalar_one() or 0
    connection.execute(
        insert(schema.poll).prefix_with("OR IGNORE").values(number=last, finished=True)
    )


def forget_selections(connection: Connection) -> None:
    """Delete which articles feeds by tag and by filter show; all articles are matched again."""
    for table in (schema.selection, schema.selected):
        connection.execute(delete(table))


def forget_archives(connection: Connection) -> None:
    """Delete which article is in which archive document; it is read back from disk."""
    for table in (schema.archive, schema.place, schema.archiving, schema.unplaced):
        connection.execute(delete(table))
    files = schema.published_file
    connection.execute(delete(files).where(files.c.document > 0))


def _read_again(connection: Connection, places: Iterable[tuple[str, str]]) -> None:
    """Have copies read again, by deleting the states of their files and URLs."""
    file, url = schema.file, urls.url_table
    for origin, location in places:
        connection.execute(
            update(file)
            .where(file.c.origin == origin, file.c.path == location)
            .values(size=-1, content_hash=b"")
        )
        connection.execute(
            update(url)
            .where(url.c.origin == origin, url.c.url == location)
            .values(etag=None, last_modified=None, content_hash=b"", next_at=0)
        )


def _unreadable(
    connection: Connection, table: Table, read: Callable[[Row[Any]], object]
) -> list[Row[Any]]:
    return [row for row in connection.execute(select(table)) if _fails(read, row)]


def _fails(read: Callable[[Row[Any]], object], row: Row[Any]) -> bool:
    if _decoded(row):
        return True
    try:
        read(row)
    except DamagedStoreError:
        return True
    return False


def _decoded(row: Row[Any]) -> dict[str, str]:
    """Return the texts of a row that are not UTF-8, with the bad bytes replaced."""
    return {
        name: value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        for name, value in row._mapping.items()
        if isinstance(value, str) and not value.isascii() and _UNDECODED.search(value)
    }


@contextlib.contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """Read texts that are not UTF-8, too, with the bad bytes as lone surrogates."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101
    driver.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str
