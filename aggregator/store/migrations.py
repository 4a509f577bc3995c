"""The store's history: numbered steps, in order, never changed once released."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from aggregator.errors import StoreError
from aggregator.store import schema


def _first(connection: Connection) -> None:
    schema.metadata.create_all(connection, checkfirst=False)


# Append only.  A step that changes tables writes its DDL out: schema.py moves on, and an
# old store must still become what it was at that step.
STEPS: tuple[Callable[[Connection], None], ...] = (_first,)


def migrate(connection: Connection, name: str, now: datetime.datetime) -> bool:
    """Bring a store to this version; return whether it was new.

    Raises `StoreError` for a store that a newer version of the program has written.
    """
    is_new = not inspect(connection).has_table("migration")
    done = (
        0
        if is_new
        else connection.execute(
            select(schema.migration.c.number).order_by(schema.migration.c.number.desc()).limit(1)
        ).scalar_one_or_none()
        or 0
    )
    if done > len(STEPS):
        raise StoreError(
            f"{name}: written by a newer version of aggregator (store version {done}, this one "
            f"knows {len(STEPS)}); install that version, or move the file away to start anew"
        )
    for number, step in enumerate(STEPS[done:], done + 1):
        step(connection)
        connection.execute(
            schema.migration.insert().values(number=number, applied_at=int(now.timestamp()))
        )
    return is_new
