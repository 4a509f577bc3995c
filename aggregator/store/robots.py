"""robots.txt files of sites, kept between polls."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Sequence

from sqlalchemy import Column, Connection, LargeBinary, String, Table, select

from aggregator.model.errors import DamagedStoreError
from aggregator.model.packing import pack, unpack
from aggregator.model.polls import RobotsFile, Validators
from aggregator.store import schema
from aggregator.store.rows import UNREADABLE, instant, seconds, upsert_rows

table = Table(
    "robots",
    schema.metadata,
    Column("site", String, primary_key=True),
    Column("text", LargeBinary, nullable=False),
    Column("expires_at", schema.Instant, nullable=False),
    Column("etag", String),
    Column("last_modified", String),
    Column("validators_url", String),
)
# One that could not be renewed for so long no longer holds (RFC 9309 §2.3.1.4).
KEEP_EXPIRED = datetime.timedelta(days=30)


def load(connection: Connection) -> list[RobotsFile]:
    """Return all files that can be read; others are requested anew."""
    found = []
    for row in connection.execute(select(table)):
        with contextlib.suppress(*UNREADABLE, DamagedStoreError):
            validators = Validators(row.etag, row.last_modified, row.validators_url)
            expires_at = instant(row.expires_at)
            found.append(RobotsFile(row.site, unpack(row.text), expires_at, validators))
    return found


def save(connection: Connection, files: Sequence[RobotsFile], now: datetime.datetime) -> None:
    """Save files that were renewed, and delete what is long out of date."""
    connection.execute(table.delete().where(table.c.expires_at < seconds(now - KEEP_EXPIRED)))
    rows = [
        {
            "site": file.site,
            "text": pack(file.text),
            "expires_at": seconds(file.expires_at),
            "etag": file.validators.etag,
            "last_modified": file.validators.last_modified,
            "validators_url": file.validators.url,
        }
        for file in files
    ]
    upsert_rows(connection, table, rows)
