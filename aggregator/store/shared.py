"""What machines share through the store: lists of feeds, and the write token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, Connection, Integer, LargeBinary, Table, select

from aggregator.store import schema
from aggregator.store.dialects import Text
from aggregator.store.rows import pieces, upsert_rows

# Of PostgreSQL alone: see `write_token`.
write_token = Table(
    "write_token",
    schema.metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
)

# Lists of feeds at URLs, as they were last received.
feed_list = Table(
    "feed_list",
    schema.metadata,
    Column("url", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)


def feed_lists(connection: Connection, urls: Iterable[str]) -> dict[str, bytes]:
    """Return the documents of those lists that a poll has received, by URL."""
    found: dict[str, bytes] = {}
    for piece in pieces(list(urls)):
        rows = connection.execute(select(feed_list).where(feed_list.c.url.in_(piece)))
        found |= {url: bytes(document) for url, document in rows}
    return found


def save_feed_lists(connection: Connection, documents: Mapping[str, bytes]) -> None:
    """Save the documents of lists by URL."""
    rows = [{"url": url, "document": document} for url, document in documents.items()]
    upsert_rows(connection, feed_list, rows)
