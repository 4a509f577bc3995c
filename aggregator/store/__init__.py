"""The store: the only place that speaks SQL (design §3, §5, §8)."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import StaticPool

from aggregator.errors import DamagedStoreError, StoreError
from aggregator.store.migrations import migrate

# Below this version a WAL that is reset under several connections can be corrupted.
_WAL_IS_SAFE = (3, 51, 3)
_DAMAGE = ("malformed", "not a database", "disk image", "database corruption", "not decode")


class Store:
    """An open store.

    `transaction` is the only way in.  A dry run's store works on the same data and
    forgets everything at the end.
    """

    def __init__(self, path: Path, *, dry_run: bool = False) -> None:
        """Open or make the SQLite file at `path`.

        Raises `StoreError`, and `DamagedStoreError` if the file is no sound database.
        """
        self.path = path
        self._dry_run = dry_run
        in_memory = dry_run and not path.exists()
        if not in_memory:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(f"{path.parent}: cannot be made: {error.strerror}") from error
        self._engine = create_engine(
            "sqlite://" if in_memory else f"sqlite:///{path}",
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": 30},
        )
        event.listen(self._engine, "connect", _configure)
        if dry_run:
            event.listen(self._engine, "connect", _keep_in_memory)
        event.listen(self._engine, "begin", _begin)
        try:
            with self._errors():
                self._connection = self._engine.connect()
                with self.transaction() as connection:
                    now = datetime.datetime.now(datetime.UTC)
                    self.is_new = migrate(connection, str(path), now)
        except BaseException:
            self._engine.dispose()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose changes are all kept at the end, or none of them."""
        connection = self._connection
        with self._errors():
            if not connection.in_transaction():
                connection.begin()
            try:
                yield connection
                if not self._dry_run:
                    connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def tidy(self) -> None:
        """Bring the planner's statistics up to date, and the journal into the file."""
        with self._errors():
            if self._connection.in_transaction():
                self._connection.commit()
            driver = self._connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                driver.execute("PRAGMA optimize")
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file; a dry run's changes go with it."""
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
        except DatabaseError as error:
            reason = str(error.orig)
            if any(sign in reason for sign in _DAMAGE):
                raise DamagedStoreError(f"{self.path}: damaged: {reason}") from error
            if isinstance(error, OperationalError):
                raise StoreError(f"{self.path}: {reason}") from error
            raise


def _begin(connection: Connection) -> None:
    """Start a transaction that holds everything, new tables too; the driver's own does not."""
    connection.exec_driver_sql("BEGIN")


def _configure(connection: sqlite3.Connection, _: object) -> None:
    """Set what every connection needs; see `_WAL_IS_SAFE` for the journal's mode."""
    connection.isolation_level = None
    is_safe = sqlite3.sqlite_version_info >= _WAL_IS_SAFE
    try:
        connection.execute(f"PRAGMA journal_mode={'WAL' if is_safe else 'TRUNCATE'}")
        connection.execute(f"PRAGMA synchronous={'NORMAL' if is_safe else 'FULL'}")
        connection.execute("PRAGMA cache_size=-8000")
        connection.execute("PRAGMA temp_store=MEMORY")
    except sqlite3.Error:
        connection.close()  # nobody else knows it yet
        raise


def _keep_in_memory(connection: sqlite3.Connection, _: object) -> None:
    """Write nothing before a commit, however large a transaction grows."""
    connection.execute("PRAGMA cache_spill=OFF")
