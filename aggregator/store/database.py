"""An open store: its connection, its transactions, and what its errors mean."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from aggregator.model.errors import DamagedStoreError
from aggregator.store.dialects import Database, database
from aggregator.store.migrations import migrate


class Store:
    """An open store.

    `transaction` is the only way to its data.  A dry run's store works on the same data, and
    discards all changes at the end.
    """

    def __init__(
        self,
        address: Path | str,
        *,
        dry_run: bool = False,
        fill: Callable[[Connection], None] = lambda connection: None,
    ) -> None:
        """Open or make the store at an address: see `dialects.database`.

        `fill` is called in the transaction that makes a new store, so that none exists without
        what it saves.  Raises `StoreError`, and `DamagedStoreError` if the file is not a sound
        database or could not be read.
        """
        self._database = database(address, dry_run=dry_run)
        self._dry_run = dry_run
        self._is_busy = False
        self._engine = self._database.engine()
        try:
            with self._errors():
                self._connection = self._engine.connect()
            with self.transaction() as connection:
                now = datetime.datetime.now(datetime.UTC)
                self.is_new = migrate(connection, self._database.name, now)
                if self.is_new:
                    fill(connection)
            with self._errors():
                self._database.accepted(self._connection)
        except BaseException:
            self._engine.dispose()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Yield a connection whose changes are all kept at the end, or none of them.

        Raises `RuntimeError` inside another transaction, whose changes it would commit.
        """
        if self._is_busy:
            raise RuntimeError("a transaction inside another one")
        connection = self._connection
        with self._errors():
            self._is_busy = True
            try:
                if not connection.in_transaction():
                    connection.begin()
                    self._database.begin(connection)
                yield connection
                if not self._dry_run:
                    self._database.written(connection)
                    connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                self._is_busy = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection to read with, that waits for no writer where there can be several.

        Changes are discarded.  Raises `RuntimeError` inside another transaction.
        """
        if self._is_busy:
            raise RuntimeError("a transaction inside another one")
        self._is_busy = True
        with self._errors():
            try:
                yield self._connection
            finally:
                self._is_busy = False
                self._connection.rollback()

    def tidy(self) -> None:
        """Update the query planner's statistics, and move the journal into the file."""
        with self._errors():
            if self._connection.in_transaction():
                self._connection.commit()
            self._database.tidy(self._connection)

    def close(self) -> None:
        """Close it; a dry run's changes are discarded."""
        self._connection.close()
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return explained(self._database)


@contextlib.contextmanager
def explained(database: Database) -> Iterator[None]:
    """Raise what an error of the driver means instead of it; a defect of ours stays as it is."""
    try:
        yield
    except DamagedStoreError as error:
        if str(error).startswith(database.name):
            raise
        raise DamagedStoreError(f"{database.name}: damaged: {error}") from error
    except (DatabaseError, sqlite3.DatabaseError) as error:
        cause = error.orig if isinstance(error, DatabaseError) else error
        meaning = database.error_of(cause)
        if meaning is None:
            raise
        raise meaning from error
