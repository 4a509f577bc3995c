"""A store in an SQLite file: its connections, its transactions, and what its errors mean."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from aggregator.model.errors import DamagedStoreError, StoreError

# How long to wait for another writer, in seconds, and for each attempt, in milliseconds.
_WAIT, _WAIT_PER_ATTEMPT = 30, 100
# Below this version a WAL that is reset under several connections can be corrupted.
_WAL = sqlite3.sqlite_version_info >= (3, 51, 3)
# SQLite's errors for a damaged file, and for a sound one that could not be read just now.
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_READING = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ})
_DAMAGE_WORDS = ("unsupported file format", "not decode")


class SqliteFile:
    """An SQLite file as a store (a `dialects.Database`)."""

    def __init__(self, path: Path, *, dry_run: bool) -> None:
        self.name = str(path)
        self._path = path
        self._dry_run = dry_run

    def engine(self) -> Engine:
        """Return an engine for the file, whose folder is made; a dry run makes none."""
        in_memory = self._dry_run and not self._path.exists()
        if not in_memory:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                reason = f"{self._path.parent}: cannot be made: {error.strerror}"
                raise StoreError(reason) from error
        engine = create_engine(
            "sqlite://" if in_memory else f"sqlite:///{self._path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": _WAIT},
        )
        event.listen(engine, "connect", _configure)
        if self._dry_run:
            event.listen(engine, "connect", _keep_in_memory)
        event.listen(engine, "begin", self._begin)
        return engine

    def begin(self, connection: Connection) -> None:
        """Do nothing: see `_begin`."""

    def accepted(self, connection: Connection) -> None:
        """Use a write-ahead log.  It changes the file, so the store must be accepted first."""
        driver = connection.connection.driver_connection
        if _WAL and not self._dry_run and isinstance(driver, sqlite3.Connection):
            driver.execute("PRAGMA journal_mode=WAL")
            driver.execute("PRAGMA synchronous=NORMAL")

    def written(self, connection: Connection) -> None:
        """Do nothing: the file tells whether something was written."""

    def tidy(self, connection: Connection) -> None:
        """Update the query planner's statistics, and move the journal into the file."""
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            driver.execute("PRAGMA optimize")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def error_of(self, cause: BaseException | None) -> StoreError | None:
        """Return what an error of the driver means, None for a defect of ours."""
        if may_be_damage(cause):
            return DamagedStoreError(f"{self.name}: damaged: {cause}")
        if isinstance(cause, sqlite3.OperationalError):
            return StoreError(f"{self.name}: {cause}")
        return None

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
    """Set what every connection needs before the store is accepted."""
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
