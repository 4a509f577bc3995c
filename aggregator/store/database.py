"""An open store: its connection, its transactions, and what its errors mean."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from aggregator.model.errors import DamagedStoreError, StoreError
from aggregator.store.migrations import migrate

# How long to wait for another writer, in seconds, and for each attempt, in milliseconds.
_WAIT, _WAIT_PER_ATTEMPT = 30, 100
# Below this version a WAL that is reset under several connections can be corrupted.
_WAL = sqlite3.sqlite_version_info >= (3, 51, 3)
# SQLite's errors for a damaged file, and for a sound one that could not be read just now.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_READING = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ})
_DAMAGE_WORDS = ("unsupported file format", "not decode")


class Store:
    """An open store.

    `transaction` is the only way to its data.  A dry run's store works on the same data, and
    discards all changes at the end.
    """

    def __init__(
        self,
        path: Path,
        *,
        dry_run: bool = False,
        fill: Callable[[Connection], None] = lambda connection: None,
    ) -> None:
        """Open or make the SQLite file at `path`.

        `fill` is called in the transaction that makes a new store, so that none exists without
        what it saves.  Raises `StoreError`, and `DamagedStoreError` if the file is not a sound
        database or could not be read.
        """
        self.path = path
        self._dry_run = dry_run
        self._is_busy = False
        in_memory = dry_run and not path.exists()
        if not in_memory:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"{path.parent}: cannot be made: {error.strerror}") from error
        self._engine = create_engine(
            "sqlite://" if in_memory else f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": _WAIT},
        )
        event.listen(self._engine, "connect", _configure)
        if dry_run:
            event.listen(self._engine, "connect", _keep_in_memory)
        event.listen(self._engine, "begin", self._begin)
        try:
            with self._errors():
                self._connection = self._engine.connect()
            with self.transaction() as connection:
                now = datetime.datetime.now(datetime.UTC)
                self.is_new = migrate(connection, str(path), now)
                if self.is_new:
                    fill(connection)
            if _WAL and not dry_run:
                self._log_ahead()
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

    def _log_ahead(self) -> None:
        """Use a write-ahead log.  It changes the file, so the store must be accepted first."""
        driver = self._connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            with self._errors():
                driver.execute("PRAGMA journal_mode=WAL")
                driver.execute("PRAGMA synchronous=NORMAL")

    def tidy(self) -> None:
        """Update the query planner's statistics, and move the journal into the file."""
        with self._errors():
            if self._connection.in_transaction():
                self._connection.commit()
            driver = self._connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                driver.execute("PRAGMA optimize")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; a dry run's changes are discarded."""
        self._connection.close()
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self, connection: Connection) -> None:
        """Begin a transaction that covers everything, DDL too, as the driver's own does not.

        SQLite waits for another writer only if nothing was read before, so a transaction that
        may write begins as a writer.
        """
        if self._dry_run:
            connection.exec_driver_sql("BEGIN")
            return
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        deadline = time.monotonic() + _WAIT
        # While SQLite itself waits, Python handles no signal, so it waits a little at a time.
        driver.execute(f"PRAGMA busy_timeout={_WAIT_PER_ATTEMPT}")
        try:
            while True:
                try:
                    driver.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                    if not is_busy or time.monotonic() > deadline:
                        raise
        finally:
            driver.execute(f"PRAGMA busy_timeout={1000 * _WAIT}")

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DamagedStoreError as error:
            if str(error).startswith(str(self.path)):
                raise
            raise DamagedStoreError(f"{self.path}: damaged: {error}") from error
        except (DatabaseError, sqlite3.DatabaseError) as error:
            cause = error.orig if isinstance(error, DatabaseError) else error
            if may_be_damage(cause):
                raise DamagedStoreError(f"{self.path}: damaged: {cause}") from error
            if isinstance(cause, sqlite3.OperationalError):
                raise StoreError(f"{self.path}: {cause}") from error
            raise


def may_be_damage(error: BaseException | None) -> bool:
    """Return whether SQLite's error may come from a damaged file.

    SQLite says "malformed" for most read errors of a sound file, too.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    return (
        code & 0xFF in _DAMAGE
        or code in _READING
        or any(words in str(error) for words in _DAMAGE_WORDS)
    )


def _configure(connection: sqlite3.Connection, _: object) -> None:
    """Set what every connection needs before the store is accepted (see `Store._log_ahead`)."""
    connection.isolation_level = None
    try:
        if not _WAL:
            connection.execute("PRAGMA journal_mode=TRUNCATE")
            connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-8000")
        connection.execute("PRAGMA temp_store=MEMORY")
    except sqlite3.Error:
        connection.close()  # SQLAlchemy does not know it yet
        raise


def _keep_in_memory(connection: sqlite3.Connection, _: object) -> None:
    """Write nothing before a commit, however large a transaction grows."""
    connection.execute("PRAGMA cache_spill=OFF")
