"""Rows of the store as values, and values as rows.  A row that is none of ours is damage."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects.sqlite import insert

from aggregator.model.articles import Article, CopyFacts, Enclosure
from aggregator.model.errors import DamagedStoreError

Value = TypeVar("Value")
Transaction = Callable[[], AbstractContextManager[Connection]]

# What reading a value raises that is none of ours.
UNREADABLE = (ValueError, TypeError, OverflowError, OSError)
_AT_ONCE = 500


def instant(seconds: int) -> datetime.datetime:
    """Seconds since 1970 as an aware datetime.

    Raises `DamagedStoreError` for what is no such number.
    """
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except UNREADABLE as error:
        raise DamagedStoreError(f"a time cannot be read: {error}") from error


def maybe_instant(seconds: int | None) -> datetime.datetime | None:
    """The same for a value that may be missing."""
    return None if seconds is None else instant(seconds)


def pieces(values: list[Value]) -> Iterator[list[Value]]:
    """Lists of values that one statement takes: SQLite limits their number."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def copy_from(row: Row[Any]) -> CopyFacts:
    """A row of the table of copies as a value.

    Raises `DamagedStoreError` if it is none.
    """
    try:
        return CopyFacts(
            body_id=row.body_id,
            code=row.code,
            origin=row.origin,
            location=row.location,
            source=row.source,
            source_name=row.source_name,
            title=row.title,
            published=maybe_instant(row.published),
            published_guess=instant(row.published_guess),
            raw_hash=row.raw_hash,
            is_full=row.is_full,
            link=row.link,
            share_url=row.share_url,
            categories=_categories(row.categories),
            changed=maybe_instant(row.changed),
            media_type=row.media_type,
            permalink=row.permalink,
            base=row.base,
            enclosures=_enclosures(row.enclosures),
            title_guess=row.title_guess,
        )
    except UNREADABLE as error:
        raise DamagedStoreError(f"a copy of {row.code} cannot be read: {error}") from error


def article_from(row: Row[Any]) -> Article:
    """A row of the table of articles as a value.

    Raises `DamagedStoreError` if it is none.
    """
    # All at once, in the order of schema.py: a name each would take twice as long.
    (
        _, code, source, source_name, first_seen, first_poll, published, updated, revision,
        version, title, raw_hash, body_id, media_type, link, share_url, categories, is_full,
        removed, base, enclosures,
    ) = tuple(row)  # fmt: skip
    try:
        return Article(
            code=code,
            source=source,
            source_name=source_name,
            first_seen=instant(first_seen),
            published=instant(published),
            updated=maybe_instant(updated),
            revision=revision,
            version=version,
            first_poll=first_poll,
            title=title,
            raw_hash=raw_hash,
            body_id=body_id,
            media_type=media_type,
            link=link,
            share_url=share_url,
            categories=_categories(categories),
            is_full=is_full,
            removed=removed,
            base=base,
            enclosures=_enclosures(enclosures),
        )
    except UNREADABLE as error:
        raise DamagedStoreError(f"the record of {code} cannot be read: {error}") from error


@lru_cache(maxsize=1024)
def _categories(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _enclosures(text: str) -> tuple[Enclosure, ...]:
    return () if text == "[]" else tuple(Enclosure(*values) for values in json.loads(text))


def seconds(moment: datetime.datetime) -> int:
    """An aware datetime as whole seconds since 1970."""
    return int(moment.timestamp())


def maybe_seconds(moment: datetime.datetime | None) -> int | None:
    """The same for a value that may be missing."""
    return None if moment is None else seconds(moment)


def categories_text(names: tuple[str, ...]) -> str:
    """Names of categories as a column holds them."""
    return json.dumps(names, ensure_ascii=False) if names else "[]"


def enclosures_text(enclosures: tuple[Enclosure, ...]) -> str:
    """Enclosures as a column holds them."""
    if not enclosures:
        return "[]"
    values = [(item.url, item.media_type, item.length) for item in enclosures]
    return json.dumps(values, ensure_ascii=False)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows.

    Past the statement's own compilation the rows go straight to the driver, which takes
    a third of the time: nothing in our column types needs converting.
    """
    names = list(rows[0])
    statement = str(table.insert().compile(connection, column_keys=names))
    connection.exec_driver_sql(statement, [tuple(row.values()) for row in rows])


def upsert_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: str | None = None
) -> None:
    """Insert rows, or replace the values of those whose key is there already."""
    keys = [key] if key else [column.name for column in table.primary_key]
    names = list(rows[0])
    statement = insert(table)
    values = {name: statement.excluded[name] for name in names if name not in keys}
    statement = (
        statement.on_conflict_do_update(index_elements=keys, set_=values)
        if values
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    compiled = str(statement.compile(connection, column_keys=names))
    connection.exec_driver_sql(compiled, [tuple(row.values()) for row in rows])
