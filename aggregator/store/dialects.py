"""The databases that a store can be in, and where their SQL differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import BigInteger, Connection, Dialect, Engine, String, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex

from aggregator.model.errors import StoreError


class Database(Protocol):
    """A database that a store is in; `name` is what messages call it."""

    name: str

    def engine(self) -> Engine:
        """Return an engine for it.  Raises `StoreError` if there can be none."""
        ...

    def begin(self, connection: Connection) -> None:
        """Let a transaction that has begun be the only one that writes.  Raises `StoreError`."""
        ...

    def accepted(self, connection: Connection) -> None:
        """Prepare a store that is known to be sound."""
        ...

    def written(self, connection: Connection) -> None:
        """Prepare the commit of a transaction that may have written something."""
        ...

    def tidy(self, connection: Connection) -> None:
        """Do what keeps it small and fast."""
        ...

    def error_of(self, cause: BaseException | None) -> StoreError | None:
        """Return what an error of the driver means, None for a defect of ours."""
        ...


def database(address: Path | str, *, dry_run: bool) -> Database:
    """Return the database at an address: the path of an SQLite file, or a URL of PostgreSQL."""
    if isinstance(address, Path):
        from aggregator.store.sqlite import SqliteFile

        return SqliteFile(address, dry_run=dry_run)
    from aggregator.store.postgresql import PostgresDatabase

    return PostgresDatabase(address, dry_run=dry_run)


class Whole(BigInteger):
    """A whole number of 64 bits."""


class Instant(Whole):
    """A time, in whole seconds since 1970 in UTC."""


class Text(String):
    """Text, in the order of its code points."""


# What an index has for `info` that PostgreSQL keeps by hash: values may be of any length.
HASH = {"method": "hash"}


@compiles(CreateIndex, "postgresql")
def _create_index(element: CreateIndex, compiler: Any, **options: Any) -> str:
    """Make an index by the method, and of the rows, that its `info` has.

    With a dialect's own keywords, SQLAlchemy would load that dialect for every store.
    """
    info = element.element.info
    text: str = compiler.visit_create_index(element, **options)
    if "method" in info:
        text = text.replace(" (", f" USING {info['method']} (", 1)
    if "where" in info:
        condition = compiler.sql_compiler.process(
            info["where"], include_table=False, literal_binds=True
        )
        text += f" WHERE {condition}"
    return text


@compiles(Whole, "sqlite")
@compiles(Instant, "sqlite")
def _whole(*_: Any, **__: Any) -> str:
    return "INTEGER"


@compiles(Text, "postgresql")
def _text(*_: Any, **__: Any) -> str:
    return 'VARCHAR COLLATE "C"'


def size_of(connection: Connection) -> int:
    """Return the size of the store in bytes."""
    if connection.dialect.name == "sqlite":
        statement = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        statement = "SELECT pg_database_size(current_database())"
    return int(connection.exec_driver_sql(statement).scalar_one())


def insert(dialect: Dialect, table: Table) -> Any:
    """Return an INSERT that may have an ON CONFLICT clause."""
    if dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
