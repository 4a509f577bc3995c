"""Rows of the store as values, and values as rows.  A row that cannot be one is damage."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Row, Table
from sqlalchemy.exc import DBAPIError

from aggregator.model.articles import Article, Enclosure, StoredCopy
from aggregator.model.errors import DamagedStoreError
from aggregator.model.polls import Cadence, Validators
from aggregator.store import schema
from aggregator.store.dialects import Instant, insert

Value = TypeVar("Value")
Transaction = Callable[[], AbstractContextManager[Connection]]

# What a statement raises that the database refuses; a transaction turns it into a `StoreError`.
SQL_ERRORS = (DBAPIError,)
# What reading a damaged value raises.
UNREADABLE = (ValueError, TypeError, OverflowError, OSError)
_PER_STATEMENT = 500
_DAY = 86_400


def instant(seconds: int) -> datetime.datetime:
    """Return seconds since 1970 as an aware datetime.

    Raises `DamagedStoreError` if that is not possible.
    """
    try:
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except UNREADABLE as error:
        raise DamagedStoreError(f"a time cannot be read: {error}") from error


def maybe_instant(seconds: int | None) -> datetime.datetime | None:
    """The same for a value that may be missing."""
    return None if seconds is None else instant(seconds)


def shown_instant(seconds: int | None) -> datetime.datetime | None:
    """Return a time that is only shown, None if it is missing or damaged."""
    try:
        return maybe_instant(seconds)
    except DamagedStoreError:
        return None


def pieces(values: list[Value]) -> Iterator[list[Value]]:
    """Yield the values in lists that one statement takes: SQLite limits their number."""
    for start in range(0, len(values), _PER_STATEMENT):
        yield values[start : start + _PER_STATEMENT]


def values_of(row: Row[Any], table: Table) -> dict[str, Any]:
    """Return the values of a row of a table by the names of its columns, without row numbers.

    Raises `DamagedStoreError` if one is missing, and what the readers raise.
    """
    plan = _plan(table)
    values = dict(zip(plan.columns, row, strict=True))
    for name, read, _ in plan.converted:
        value = values[name]
        if value is not None:
            values[name] = read(value)
    for name in plan.required:
        if values[name] is None:
            raise DamagedStoreError(f"{table.name}.{name} is missing")
    values.pop(plan.number, None)
    return values


def row_of(value: object, table: Table, **columns: object) -> dict[str, Any]:
    """Return a value as a row: from `columns`, and each other column from its field."""
    plan = _plan(table)
    names, read = _reader(table, frozenset(columns))
    row = dict(zip(names, read(value), strict=True)) | columns
    for name, _, write in plan.converted:
        row[name] = write(row[name])
    return row


@cache
def _reader(
    table: Table, without: frozenset[str]
) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """Return the names of the fields of a row, and what reads them all from a value at once."""
    names = tuple(name for name in _plan(table).fields if name not in without)
    read = attrgetter(*names)
    return names, read if len(names) > 1 else lambda value: (read(value),)


def validators_columns(validators: Validators) -> dict[str, str | None]:
    """Return validators as the three columns that hold them."""
    return {
        "etag": validators.etag,
        "last_modified": validators.last_modified,
        "validators_url": validators.url,
    }


def take_validators(values: dict[str, Any]) -> Validators:
    """Return validators from their columns, which are removed from a row's `values`."""
    return Validators(*(values.pop(name) for name in validators_columns(Validators())))


def copy_from(row: Row[Any]) -> StoredCopy:
    """Return a row of the table of copies as a value.

    Raises `DamagedStoreError` if it cannot be one.
    """
    try:
        return StoredCopy(**values_of(row, schema.copy))
    except (*UNREADABLE, DamagedStoreError) as error:
        raise DamagedStoreError(f"a copy of {row.code} cannot be read: {error}") from error


def article_from(row: Row[Any]) -> Article:
    """Return a row of the table of articles as a value.

    Raises `DamagedStoreError` if it cannot be one.
    """
    try:
        return Article(**values_of(row, schema.article))
    except (*UNREADABLE, DamagedStoreError) as error:
        raise DamagedStoreError(f"the record of {row.code} cannot be read: {error}") from error


@lru_cache(maxsize=1024)
def _categories(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _enclosures(text: str) -> tuple[Enclosure, ...]:
    return () if text == "[]" else tuple(Enclosure(*values) for values in json.loads(text))


def seconds(moment: datetime.datetime) -> int:
    """Return an aware datetime as whole seconds since 1970."""
    return int(moment.timestamp())


def maybe_seconds(moment: datetime.datetime | None) -> int | None:
    """The same for a value that may be missing."""
    return None if moment is None else seconds(moment)


@lru_cache(maxsize=1024)
def _categories_text(names: tuple[str, ...]) -> str:
    return json.dumps(names, ensure_ascii=False) if names else "[]"


def _enclosures_text(enclosures: tuple[Enclosure, ...]) -> str:
    if not enclosures:
        return "[]"
    values = [(item.url, item.media_type, item.length) for item in enclosures]
    return json.dumps(values, ensure_ascii=False)


def _cadence(text: str) -> Cadence:
    seconds, hours, days = json.loads(text)
    if not 0 <= seconds <= _DAY:
        raise ValueError(f"a feed that is fetched every {seconds} s")
    return Cadence(int(seconds), tuple(map(int, hours)), tuple(map(int, days)))


def _cadence_text(cadence: Cadence | None) -> str | None:
    if cadence is None:
        return None
    return json.dumps((cadence.seconds, cadence.skip_hours, cadence.skip_days))


_Convert = Callable[[Any], Any]
# Columns that hold values as JSON.
_AS_JSON: dict[str, tuple[_Convert, _Convert]] = {
    "categories": (_categories, _categories_text),
    "enclosures": (_enclosures, _enclosures_text),
    "cadence": (_cadence, _cadence_text),
}


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the rows of a table are converted: its columns, and how to read and write values."""

    columns: tuple[str, ...]
    number: str
    fields: tuple[str, ...]
    required: tuple[str, ...]
    converted: tuple[tuple[str, _Convert, _Convert], ...]


@cache
def _plan(table: Table) -> _Plan:
    names, number = tuple(table.columns.keys()), f"{table.name}_id"
    return _Plan(
        columns=names,
        number=number,
        fields=tuple(name for name in names if name != number),
        required=tuple(column.name for column in table.columns if not column.nullable),
        converted=tuple(
            (column.name, *_AS_JSON.get(column.name, (instant, maybe_seconds)))
            for column in table.columns
            if column.name in _AS_JSON or isinstance(column.type, Instant)
        ),
    )


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns, if there are any."""
    if rows:
        _execute(connection, _statement(connection.dialect, table, tuple(rows[0])), rows)


def insert_tuples(connection: Connection, table: Table, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert very many rows, with their values in the order of the table's columns."""
    if rows:
        sql, _ = _statement(connection.dialect, table, tuple(table.columns.keys()))
        connection.exec_driver_sql(sql, list(rows))


def upsert_rows(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    key: str | None = None,
    replaced: Collection[str] | None = None,
) -> None:
    """Insert rows, if there are any, or replace values of those whose key is there.

    All values are replaced, or those of the columns `replaced`.
    """
    if not rows:
        return
    keys = (key,) if key else tuple(column.name for column in table.primary_key)
    names = replaced if replaced is not None else [name for name in rows[0] if name not in keys]
    statement = _statement(connection.dialect, table, tuple(rows[0]), keys, tuple(names))
    _execute(connection, statement, rows)


@lru_cache(maxsize=256)
def _statement(
    dialect: Dialect,
    table: Table,
    columns: tuple[str, ...],
    keys: tuple[str, ...] = (),
    replaced: tuple[str, ...] = (),
) -> tuple[str, tuple[str, ...]]:
    """Return the SQL that inserts a row, and the columns in the order of its parameters.

    With `keys`, the `replaced` columns of a row that is there are replaced.  Compiling it
    costs more than a small insert.
    """
    statement = insert(dialect, table)
    if keys and replaced:
        values = {name: statement.excluded[name] for name in replaced}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
    elif keys:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())


def _execute(
    connection: Connection,
    statement: tuple[str, tuple[str, ...]],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    # The rows go straight to the driver, which takes a third of the time: nothing in our
    # column types needs converting.
    sql, order = statement
    if len(order) == 1:
        connection.exec_driver_sql(sql, [(row[order[0]],) for row in rows])
    else:
        connection.exec_driver_sql(sql, list(map(itemgetter(*order), rows)))
