"""The manifest: what every published feed showed last (design §3, steps 5 and 7)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, update

from aggregator.model import FeedState
from aggregator.store import schema
from aggregator.store.reads import instant
from aggregator.store.writes import seconds, upsert_rows


def feed_states(connection: Connection) -> dict[str, FeedState]:
    """The manifest: every published feed by its key."""
    return {
        row.key: FeedState(
            key=row.key,
            path=row.path,
            title=row.title,
            rules=row.rules,
            fingerprint=row.fingerprint,
            entries=row.entries,
            updated=instant(row.updated),
            size=row.size,
            mtime_ns=row.mtime_ns,
            checked_at=instant(row.checked_at),
        )
        for row in connection.execute(select(schema.feed))
    }


def touched_sources(connection: Connection) -> set[str]:
    """Sources whose articles changed since they were last built."""
    return set(connection.execute(select(schema.touched.c.source)).scalars())


def save_feeds(connection: Connection, states: Iterable[FeedState]) -> None:
    """Save the manifest's rows of feeds that are on disk."""
    rows = [
        {
            "key": state.key,
            "path": state.path,
            "title": state.title,
            "rules": state.rules,
            "fingerprint": state.fingerprint,
            "entries": state.entries,
            "updated": seconds(state.updated),
            "size": state.size,
            "mtime_ns": state.mtime_ns,
            "checked_at": seconds(state.checked_at),
        }
        for state in states
    ]
    if rows:
        upsert_rows(connection, schema.feed, rows)


def feeds_are_current(connection: Connection, now: datetime.datetime) -> None:
    """Note that all feeds show what is due by now."""
    connection.execute(update(schema.feed).values(checked_at=seconds(now)))


def clear_touched(connection: Connection) -> None:
    """Empty the list of sources to build."""
    connection.execute(delete(schema.touched))
