"""A store in a PostgreSQL database: its connections, and what its errors mean."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from aggregator.model.digests import digest
from aggregator.model.errors import LockedError, StoreError, masked

CONNECT_WITHIN = 10
_STEP = 0.05
# Who holds a lock: a key of 64 bits is split in two.
_HOLDER = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted
AND (classid::bigint << 32 | objid::bigint) = %s
"""


class PostgresDatabase:
    """A PostgreSQL database as a store (a `dialects.Database`)."""

    def __init__(self, url: str, *, dry_run: bool) -> None:
        self.name = masked(url)
        self._url = url
        self._dry_run = dry_run

    def engine(self) -> Engine:
        """Return an engine for the database.  Raises `StoreError` without its driver."""
        psycopg = _driver(self._url)
        try:
            psycopg.conninfo.conninfo_to_dict(self._url)
            engine = create_engine(
                make_url(self._url).set(drivername="postgresql+psycopg"),
                poolclass=StaticPool,
                # Positions, so that rows go straight to the driver: see `rows.insert_rows`.
                paramstyle="format",
                isolation_level="REPEATABLE READ",
                connect_args={"connect_timeout": CONNECT_WITHIN, "application_name": "aggregator"},
            )
        except (ArgumentError, ValueError, psycopg.Error) as error:
            reason = f"{self.name}: is not a valid address of a database: {_line(error)}"
            raise StoreError(reason) from error
        event.listen(engine, "before_cursor_execute", _storable, retval=True)
        return engine

    def accepted(self, connection: Connection) -> None:
        """Do nothing: a database needs no preparation."""

    def tidy(self, connection: Connection) -> None:
        """Do nothing: the server tidies itself."""

    def error_of(self, cause: BaseException | None) -> StoreError | None:
        """Return what an error of the driver means, None for a defect of ours."""
        import psycopg

        if isinstance(cause, psycopg.OperationalError):
            return StoreError(f"{self.name}: {_line(cause)}")
        return None


@contextlib.contextmanager
def exclusive(url: str, name: str, wait: float, who: str) -> Iterator[None]:
    """Hold an advisory lock of the database, waiting for up to `wait` seconds.

    The lock is the session's, so it ends with the connection.  Raises `LockedError` with the
    holder's name, and `StoreError` if there is no connection.
    """
    psycopg = _driver(url)
    key = int.from_bytes(digest(f"aggregator {name}".encode())[:8], "big", signed=True)
    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_WITHIN,
            application_name=f"process {os.getpid()} on {socket.gethostname()} ({who})"[:63],
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
    except psycopg.Error as error:
        raise StoreError(f"{masked(url)}: {_line(error)}") from error
    with contextlib.closing(connection):
        deadline = time.monotonic() + wait
        while not connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()[0]:
            if time.monotonic() >= deadline:
                row = connection.execute(_HOLDER, (key,)).fetchone()
                holder = row[0] if row is not None else "another run"
                raise LockedError(f"{masked(url)}: held by {holder}; waited {wait:g} s")
            time.sleep(_STEP)
        yield


def _line(error: BaseException) -> str:
    """Return a message of the driver, which has several lines, as one."""
    return masked(" ".join(str(error).split()))


def _driver(url: str) -> Any:
    try:
        import psycopg
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{masked(url)}: PostgreSQL needs psycopg: run "
            "pip install 'jekyll-feed-aggregator[cluster]', or sh bootstrap.sh cluster"
        ) from error
    return psycopg


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
