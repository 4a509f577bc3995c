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
from aggregator.store.dialects import database
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
            if not connection.in_transaction():
                connection.begin()
            self._is_busy = True
            try:
                yield connection
                if not self._dry_run:
                    connection.commit()
            except BaseException:
                connection.rollback()
                raise
            finally:
                self._is_busy = False

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

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DamagedStoreError as error:
            if str(error).startswith(self._database.name):
                raise
            raise DamagedStoreError(f"{self._database.name}: damaged: {error}") from error
        except (DatabaseError, sqlite3.DatabaseError) as error:
            cause = error.orig if isinstance(error, DatabaseError) else error
            meaning = self._database.error_of(cause)
            if meaning is None:
                raise
            raise meaning from error
