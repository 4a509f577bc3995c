"""Locks in a PostgreSQL database: each is held by one process, whatever its machine.

A lock is a session's, so it ends with the connection, as the lock of a file ends with the
process.  Connections are kept for the next lock, since one is needed for every transaction of a
poll.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from aggregator.model.errors import LockedError, masked
from aggregator.store.psycopg_driver import (
    KEEPALIVE,
    application_name,
    connection_options,
    driver,
    key_of,
    meaning,
)

# The server has to give up a connection whose other end is gone, too, for its lock to be free.
_SETTINGS = "; ".join(f"SET tcp_{name} = {value}" for name, value in KEEPALIVE.items())
# A key of 64 bits is split in two.
_HOLDER = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND database = (
    SELECT oid FROM pg_database WHERE datname = current_database()
) AND (classid::bigint << 32 | objid::bigint) = %s
"""
_MAX_IDLE = 4
_idle: dict[str, list[Any]] = {}
_thread = threading.local()


@contextlib.contextmanager
def exclusive(url: str, name: str, wait: float, who: str) -> Iterator[None]:
    """Hold the lock of a name in a database, waiting for up to `wait` seconds.

    Raises `LockedError` with the holder's name, and `StoreError` if there is no connection.
    """
    with _locked(url, key_of(name), wait, who, shared=False) as connection:
        before = held(url)
        _held()[url] = connection.info.backend_pid
        try:
            yield
        finally:
            if before is None:
                del _held()[url]
            else:
                _held()[url] = before


@contextlib.contextmanager
def shared(url: str, name: str, wait: float, who: str) -> Iterator[None]:
    """Hold a lock beside others that hold it in the same way; see `exclusive`."""
    with _locked(url, key_of(name), wait, who, shared=True):
        yield


def held(url: str) -> int | None:
    """Return the server's process that holds this thread's lock, None without a lock."""
    return _held().get(url)


def _held() -> dict[str, int]:
    found: dict[str, int] = _thread.__dict__.setdefault("held", {})
    return found


@contextlib.contextmanager
def _locked(url: str, key: int, wait: float, who: str, *, shared: bool) -> Iterator[Any]:
    psycopg = driver(url)
    kind = "_shared" if shared else ""
    connection = None
    try:
        try:
            connection = _connection(url, who)
            if not _lock(psycopg, connection, key, wait, kind):
                row = connection.execute(_HOLDER, (key,)).fetchone()
                holder = row[0] if row is not None else "another run"
                raise LockedError(f"{masked(url)}: held by {holder}; waited {wait:g} s")
        except psycopg.Error as error:
            raise meaning(url, error) from error
        try:
            yield connection
        finally:
            # If it cannot be reached, the lock has ended with it.
            with contextlib.suppress(psycopg.Error):
                connection.execute(f"SELECT pg_advisory_unlock{kind}(%s)", (key,))
                connection = _kept(url, connection)
    finally:
        if connection is not None:
            connection.close()


def _lock(psycopg: Any, connection: Any, key: int, wait: float, kind: str) -> bool:
    """Take a lock; return whether that was possible in time."""
    query = f"SELECT pg_try_advisory_lock{kind}(%s)"
    if connection.execute(query, (key,)).fetchone()[0]:
        return True
    if wait <= 0:
        return False
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{wait * 1000:.0f}",))
    try:
        connection.execute(f"SELECT pg_advisory_lock{kind}(%s)", (key,))
    except psycopg.errors.LockNotAvailable:
        return False
    finally:
        with contextlib.suppress(psycopg.Error):
            connection.execute("SET lock_timeout = 0")
    return True


def _connection(url: str, who: str) -> Any:
    psycopg = driver(url)
    while (connection := _idle_connection(url)) is not None:
        try:
            connection.execute(
                "SELECT set_config('application_name', %s, false)", (application_name(who),)
            )
        except psycopg.Error:
            connection.close()
        else:
            return connection
    connection = psycopg.connect(url, autocommit=True, **connection_options(who))
    connection.execute(_SETTINGS)
    return connection


def _idle_connection(url: str) -> Any:
    """Return a connection that was kept, None without one; threads may call it at the same time."""
    with contextlib.suppress(KeyError, IndexError):
        return _idle[url].pop()
    return None


def _kept(url: str, connection: Any) -> Any:
    """Keep a connection for the next lock; return it if it is to be closed instead."""
    waiting = _idle.setdefault(url, [])
    if len(waiting) >= _MAX_IDLE:
        return connection
    waiting.append(connection)
    return None
