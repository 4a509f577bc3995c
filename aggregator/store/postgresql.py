"""A store in a PostgreSQL database: its connections, and what its errors mean."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from aggregator.model.errors import StoreError, masked
from aggregator.store import advisory_locks
from aggregator.store.psycopg_driver import connection_options, driver, key_of, meaning, one_line
from aggregator.store.write_token import RENEW

_TRANSACTION = "transaction"
# Whether a server process still holds a lock.
_IS_HELD = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = :pid)
"""


class PostgresDatabase:
    """A PostgreSQL database as a store (a `dialects.Database`)."""

    def __init__(self, url: str, *, dry_run: bool) -> None:
        self.name = masked(url)
        self._url = url
        self._dry_run = dry_run

    def engine(self) -> Engine:
        """Return an engine for the database.  Raises `StoreError` without its driver."""
        psycopg = driver(self._url)
        # It warns of a statement that failed, which the error says as well.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
        try:
            psycopg.conninfo.conninfo_to_dict(self._url)
            engine = create_engine(
                make_url(self._url).set(drivername="postgresql+psycopg"),
                poolclass=StaticPool,
                # Positions, so that rows go straight to the driver: see `rows.insert_rows`.
                paramstyle="format",
                # Writers come one after the other, and each must see what the last one left.
                isolation_level="REPEATABLE READ" if self._dry_run else "READ COMMITTED",
                connect_args=connection_options("store"),
            )
        except (ArgumentError, ValueError, psycopg.Error) as error:
            reason = f"{self.name}: is not a valid address of a database: {one_line(error)}"
            raise StoreError(reason) from error
        event.listen(engine, "before_cursor_execute", _storable, retval=True)
        return engine

    def begin(self, connection: Connection) -> None:
        """Let one transaction that writes follow the other, whoever begins them.

        Raises `StoreError` if this thread has lost the lock that lets it write: its connection
        was cut, and another process may have written since.
        """
        if self._dry_run:
            return
        # A parameter of its own, since the key of a lock is a number.
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": key_of(_TRANSACTION)}
        )
        pid = advisory_locks.held(self._url)
        if pid is not None and not connection.execute(text(_IS_HELD), {"pid": pid}).scalar_one():
            raise StoreError(
                f"{self.name}: the connection that held the lock was cut; nothing is half-written"
            )

    def accepted(self, connection: Connection) -> None:
        """Do nothing: a database needs no preparation."""

    def written(self, connection: Connection) -> None:
        """Renew the token if the transaction has written something."""
        connection.exec_driver_sql(RENEW)

    def tidy(self, connection: Connection) -> None:
        """Do nothing: the server tidies itself."""

    def error_of(self, cause: BaseException | None) -> StoreError | None:
        """Return what an error of the driver means, None for a defect of ours."""
        import psycopg

        # A value that is too large for an index is an error of the item that has it.
        too_large = psycopg.errors.ProgramLimitExceeded
        refused = (
            psycopg.OperationalError,
            psycopg.errors.ReadOnlySqlTransaction,
            psycopg.errors.InsufficientPrivilege,
        )
        if isinstance(cause, refused) and not isinstance(cause, too_large):
            return meaning(self._url, cause)
        return None


def insert_copies(
    connection: Connection, table: Table, pieces: Iterable[Sequence[Sequence[Any]]]
) -> None:
    """Insert rows with their numbers into an empty table, by COPY; later rows continue them.

    Raises `StoreError` for a row that PostgreSQL refuses.
    """
    import psycopg

    driver: Any = connection.connection.driver_connection
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    try:
        with (
            driver.cursor() as cursor,
            cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy,
        ):
            for rows in pieces:
                for row in rows:
                    copy.write_row(_cleaned(row))
    except psycopg.Error as error:
        raise StoreError(f"the table {table.name} cannot be written: {one_line(error)}") from error
    number = table.autoincrement_column
    if number is not None:
        sequence = func.pg_get_serial_sequence(f'"{table.name}"', number.name)
        highest = func.max(number)
        connection.execute(select(func.setval(sequence, highest)).having(highest.is_not(None)))


def _storable(
    _connection: Connection,
    _cursor: Any,
    statement: str,
    parameters: Any,
    _context: Any,
    is_many: bool,
) -> tuple[str, Any]:
    """Return a statement with text that PostgreSQL can store: without NUL."""
    if is_many:
        return statement, [_cleaned(row) for row in parameters]
    return statement, _cleaned(parameters) if parameters else parameters


def _cleaned(values: Any) -> Any:
    if isinstance(values, dict):
        return {name: _text(value) for name, value in values.items()}
    return tuple([_text(value) for value in values])


def _text(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if type(value) is str and "\0" in value else value
