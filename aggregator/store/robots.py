"""robots.txt files of sites, kept between polls."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Collection, Sequence

from sqlalchemy import Column, Connection, LargeBinary, Table, select

from aggregator.model.errors import DamagedStoreError
from aggregator.model.packing import pack, unpack
from aggregator.model.polls import RobotsFile
from aggregator.store import schema
from aggregator.store.dialects import Instant, Text
from aggregator.store.rows import (
    UNREADABLE,
    row_of,
    seconds,
    take_validators,
    upsert_rows,
    validators_columns,
    values_of,
)

table = Table(
    "robots",
    schema.metadata,
    Column("site", Text, primary_key=True),
    Column("text", LargeBinary, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("validators_url", Text),
)
# One that could not be renewed for so long no longer holds (RFC 9309 §2.3.1.4).
KEEP_EXPIRED = datetime.timedelta(days=30)


def load(connection: Connection, sites: Collection[str] | None = None) -> list[RobotsFile]:
    """Return all files that can be read, or those of some sites; others are requested anew."""
    query = select(table)
    if sites is not None:
        query = query.where(table.c.site.in_(sites))
    found = []
    for row in connection.execute(query):
        with contextlib.suppress(*UNREADABLE, DamagedStoreError):
            values = values_of(row, table)
            values["text"] = unpack(values["text"])
            found.append(RobotsFile(validators=take_validators(values), **values))
    return found


def save(connection: Connection, files: Sequence[RobotsFile], now: datetime.datetime) -> None:
    """Save files that were renewed, and delete what is long out of date."""
    connection.execute(table.delete().where(table.c.expires_at < seconds(now - KEEP_EXPIRED)))
    rows = [
        row_of(file, table, text=pack(file.text), **validators_columns(file.validators))
        for file in files
    ]
    upsert_rows(connection, table, rows)
