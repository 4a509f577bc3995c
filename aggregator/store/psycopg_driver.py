"""The driver of PostgreSQL, and how this program connects: with what names and limits."""

from __future__ import annotations

import os
import socket
from typing import Any

from aggregator.model.digests import digest
from aggregator.model.errors import StoreError, masked

# Seconds until a server that does not respond is given up.
CONNECT_WITHIN = 10
# Seconds until a connection whose other end is gone is given up.
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
# PostgreSQL cuts longer names.
_LONGEST_NAME = 63
# How the end of a connection is reported: by the server's states, or by the driver.
_SHUTDOWNS = frozenset({"57P01", "57P02"})
_CLOSED = ("closed the connection", "connection is closed", "connection is lost")


def driver(url: str) -> Any:
    """Return the module psycopg.  Raises `StoreError` if it is not installed."""
    try:
        import psycopg
        import psycopg.conninfo
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{masked(url)}: PostgreSQL needs psycopg: run "
            "pip install 'jekyll-feed-aggregator[cluster]', or sh bootstrap.sh cluster"
        ) from error
    return psycopg


def this_process() -> str:
    """Return the name of this process among all that use a database."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def host_of_process(process: str) -> str:
    """Return the host in the name of a process."""
    return process.partition(" on ")[2]


def application_name(who: str) -> str:
    """Return how a connection of this process is called in the database."""
    return f"{this_process()} ({who})"[:_LONGEST_NAME]


def connection_options(who: str) -> dict[str, Any]:
    """Return the driver's options for a connection, which is called by what it is for."""
    return {
        "application_name": application_name(who),
        "connect_timeout": CONNECT_WITHIN,
        **KEEPALIVE,
    }


def prefix_of(process: str) -> str:
    """Return what the names of all connections of a process begin with."""
    return f"{process} ("[:_LONGEST_NAME]


def key_of(name: str) -> int:
    """Return the number of an advisory lock."""
    return int.from_bytes(digest(f"aggregator {name}".encode())[:8], "big", signed=True)


def meaning(url: str, error: Any) -> StoreError:
    """Return what an error of the driver means to a user."""
    ending = "; nothing is half-written" if _is_cut(error) else ""
    return StoreError(f"{masked(url)}: {one_line(error)}{ending}")


def _is_cut(error: Any) -> bool:
    """Return whether an error is the end of a connection that was open."""
    return error.sqlstate in _SHUTDOWNS or any(words in str(error) for words in _CLOSED)


def one_line(error: BaseException) -> str:
    """Return a message of the driver, which has several lines, as one, without passwords."""
    return masked(" ".join(str(error).split()))
