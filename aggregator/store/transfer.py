"""A store copied into another database, whole: every table, with its row numbers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, inspect, select

from aggregator.config.paths import LOCKS, lock_of
from aggregator.model.errors import (
    ConfigError,
    DamagedStoreError,
    StoreError,
    masked,
)
from aggregator.model.reports import Progress
from aggregator.store import salvage
from aggregator.store.database import explained
from aggregator.store.dialects import Database, database
from aggregator.store.lock import exclusive
from aggregator.store.migrations import VERSION, recorded_version
from aggregator.store.rows import UNREADABLE, insert_rows
from aggregator.store.schema import metadata

WHO = "aggregator store copy"
_AT_ONCE = 500


def copy_store(source: Path | str, target: Path | str, wait: float, progress: Progress) -> int:
    """Copy the store at an address into an empty database; return the number of rows.

    Nothing is written to the source, and nobody else writes meanwhile.  The target has all of it
    or, if this is interrupted, nothing.  Raises `ConfigError` if there is no store, or one in
    the target already, `LockedError` if another run holds one of them for longer than `wait`
    seconds, and `StoreError`.
    """
    if isinstance(source, Path) and not source.is_file():
        raise ConfigError(f"{source}: no such store")
    _require_empty(target)
    with contextlib.ExitStack() as locks:
        for address in (source, target):
            for name in LOCKS:
                locks.enter_context(exclusive(lock_of(address, name), wait, WHO))
        _require_empty(target)
        with _reading(source) as old:
            tables = metadata.sorted_tables
            counts = [
                old.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables
            ]
            total, done = sum(counts), 0

            def pieces(table: Table) -> Iterator[Sequence[Sequence[Any]]]:
                nonlocal done
                with _explained_rows(source, table):
                    found = old.execution_options(yield_per=_AT_ONCE).execute(select(table))
                    for piece in found.partitions():
                        yield piece
                        done += len(piece)
                        progress(done, total)

            progress(0, total)
            with _writing(target) as new:
                metadata.create_all(new, checkfirst=False)
                for table in tables:
                    _insert(new, table, pieces(table))
            return total


def _require_empty(target: Path | str) -> None:
    """Raise `ConfigError` if there is a store at an address."""
    name = masked(str(target))
    if isinstance(target, Path):
        if target.exists() and (not target.is_file() or target.stat().st_size):
            raise ConfigError(f"{name}: exists already: name a file that does not")
        return
    with _connected(database(target, dry_run=True)) as connection:
        there = set(inspect(connection).get_table_names()) & metadata.tables.keys()
    if there:
        raise ConfigError(
            f"{name}: has a store already (the table {min(there)}): name an empty database"
        )


@contextlib.contextmanager
def _reading(source: Path | str) -> Iterator[Connection]:
    """Yield a connection with one snapshot of a sound store of this version."""
    name = masked(str(source))
    if isinstance(source, Path) and (found := salvage.complaint(source)) is not None:
        raise DamagedStoreError(_damage(name, found))
    with _connected(database(source, dry_run=True)) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only=ON")
        else:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        if not inspect(connection).has_table("migration"):
            raise ConfigError(f"{name}: is not a store of aggregator")
        version = recorded_version(connection)
        if version > VERSION:
            raise StoreError(
                f"{name}: written by a newer version of aggregator (store version {version}, "
                f"this one knows {VERSION}); use that version"
            )
        if version < VERSION:
            raise StoreError(
                f"{name}: written by an older version of aggregator (store version {version}, "
                f"not {VERSION}); run aggregator build-feeds on it once, then copy it"
            )
        yield connection


@contextlib.contextmanager
def _explained_rows(source: Path | str, table: Table) -> Iterator[None]:
    """Raise `DamagedStoreError` for a row that cannot be read."""
    name = masked(str(source))
    try:
        with explained(database(source, dry_run=True)):
            yield
    except (*UNREADABLE, DamagedStoreError) as error:
        raise DamagedStoreError(_damage(name, f"the table {table.name}: {error}")) from error


def _damage(name: str, found: str) -> str:
    return (
        f"{name}: damaged: {found.removeprefix(f'{name}: damaged: ')}. Nothing was copied: run "
        "aggregator build-feeds on it, which repairs it, then copy it"
    )


@contextlib.contextmanager
def _writing(target: Path | str) -> Iterator[Connection]:
    """Yield a connection to an empty database whose changes are all kept at the end, or none."""
    if isinstance(target, Path):
        with _new_file(target) as path, _connected(database(path, dry_run=False)) as connection:
            yield connection
            connection.commit()
        return
    base = database(target, dry_run=False)
    with _connected(base) as connection:
        yield connection
        base.written(connection)
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


@contextlib.contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """Yield a path whose file becomes `target` at the end; an interrupted copy leaves none."""
    path = target.with_name(f"{target.name}.copying")

    def remove() -> None:
        for suffix in ("", *salvage.JOURNALS):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    remove()
    try:
        yield path
        with path.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(path, target)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        remove()


@contextlib.contextmanager
def _connected(base: Database) -> Iterator[Connection]:
    engine = base.engine()
    try:
        with explained(base), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _insert(
    connection: Connection, table: Table, pieces: Iterator[Sequence[Sequence[Any]]]
) -> None:
    if connection.dialect.name == "postgresql":
        from aggregator.store.postgresql import insert_copies

        insert_copies(connection, table, pieces)
        return
    names = table.columns.keys()
    for rows in pieces:
        insert_rows(connection, table, [dict(zip(names, row, strict=True)) for row in rows])
