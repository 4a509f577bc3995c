"""Hubs that are still to be notified of changed feeds (WebSub)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Column, Connection, Integer, Table, delete, func, select, update

from aggregator.store import schema
from aggregator.store.dialects import Instant, Text
from aggregator.store.rows import instant, maybe_instant, row_of, seconds, upsert_rows, values_of

table = Table(
    "ping",
    schema.metadata,
    Column("hub", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
)


class Ping(NamedTuple):
    """A feed (`topic`) that changed, and how often notifying a hub failed."""

    hub: str
    topic: str
    since: datetime.datetime
    due_at: datetime.datetime
    failures: int
    error: str | None


def enqueue(
    connection: Connection, hubs: Iterable[str], topics: Iterable[str], now: datetime.datetime
) -> None:
    """Have hubs notified of feeds; a feed that changes again meanwhile is named once.

    A hub that failed keeps its pause.
    """
    topics = list(topics)
    for hub in hubs if topics else ():
        later = connection.execute(
            select(func.max(table.c.due_at)).where(table.c.hub == hub, table.c.failures > 0)
        ).scalar_one()
        due_at = max(now, instant(later or 0))
        rows = [row_of(Ping(hub, topic, now, due_at, 0, None), table) for topic in topics]
        upsert_rows(connection, table, rows, replaced=("since",))


def due(connection: Connection, now: datetime.datetime) -> list[Ping]:
    """Return the notifications that are due, ordered by hub."""
    rows = connection.execute(
        select(table)
        .where(table.c.due_at <= seconds(now))
        .order_by(table.c.hub, table.c.due_at, table.c.topic)
    )
    return [Ping(**values_of(row, table)) for row in rows]


def next_due(connection: Connection) -> datetime.datetime | None:
    """Return when the next notification is due, None if there is none."""
    return maybe_instant(connection.execute(select(func.min(table.c.due_at))).scalar_one())


def done(connection: Connection, ping: Ping) -> None:
    """Delete a notification, unless its feed has changed again since."""
    connection.execute(
        delete(table).where(
            table.c.hub == ping.hub,
            table.c.topic == ping.topic,
            table.c.since == seconds(ping.since),
        )
    )


def postpone(
    connection: Connection, ping: Ping, due_at: datetime.datetime, failures: int, error: str
) -> None:
    """Have a notification tried again later."""
    connection.execute(
        update(table)
        .where(
            table.c.hub == ping.hub,
            table.c.topic == ping.topic,
            table.c.since == seconds(ping.since),
        )
        .values(due_at=seconds(due_at), failures=failures, error=error)
    )


def waiting(connection: Connection) -> list[tuple[str, int, int, str | None]]:
    """Return each hub with the number of waiting notifications, its failures, and the reason."""
    rows = connection.execute(
        select(table.c.hub, func.count(), func.max(table.c.failures), func.max(table.c.error))
        .group_by(table.c.hub)
        .order_by(table.c.hub)
    )
    return [(hub, count, failures, error) for hub, count, failures, error in rows]
