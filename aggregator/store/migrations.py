"""The store's history: numbered steps, in order, never changed once released."""

from __future__ import annotations

import datetime
from collections.abc import Callable

from sqlalchemy import Connection, inspect, select

from aggregator.errors import StoreError
from aggregator.store import schema


def _polled_urls(connection: Connection) -> None:
    """Version 2: URLs that are polled; what copies from elsewhere have that posts have not."""
    for statement in (
        "CREATE TABLE url (origin VARCHAR NOT NULL, url VARCHAR NOT NULL, "
        "next_at INTEGER NOT NULL, etag VARCHAR, last_modified VARCHAR, "
        "content_hash BLOB NOT NULL, asked_at INTEGER, answered_at INTEGER, read_at INTEGER, "
        "failures INTEGER NOT NULL, trouble VARCHAR, moved_to VARCHAR, moves INTEGER NOT NULL, "
        "is_gone BOOLEAN NOT NULL, is_due_once BOOLEAN NOT NULL, PRIMARY KEY (origin, url)) "
        "WITHOUT ROWID",
        "CREATE INDEX url_due ON url (origin, next_at)",
        "ALTER TABLE copy ADD COLUMN permalink VARCHAR",
        "ALTER TABLE copy ADD COLUMN base VARCHAR",
        "ALTER TABLE copy ADD COLUMN enclosures VARCHAR DEFAULT '[]' NOT NULL",
        "ALTER TABLE copy ADD COLUMN title_guess VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE copy ADD COLUMN words BLOB DEFAULT x'' NOT NULL",
        "CREATE INDEX copy_link ON copy (link)",
        "ALTER TABLE article ADD COLUMN base VARCHAR",
        "ALTER TABLE article ADD COLUMN enclosures VARCHAR DEFAULT '[]' NOT NULL",
    ):
        connection.exec_driver_sql(statement)


def _formats_and_archives(connection: Connection) -> None:
    """Version 3: several files a feed, archives, selections, the page, hubs."""
    for statement in (
        "ALTER TABLE feed ADD COLUMN files VARCHAR DEFAULT '[]' NOT NULL",
        "ALTER TABLE feed ADD COLUMN activity VARCHAR DEFAULT '[]' NOT NULL",
        "UPDATE feed SET files = json_array(json_array(path, size, mtime_ns))",
        "ALTER TABLE feed DROP COLUMN path",
        "ALTER TABLE feed DROP COLUMN size",
        "ALTER TABLE feed DROP COLUMN mtime_ns",
        "CREATE TABLE touched_feed (feed VARCHAR NOT NULL PRIMARY KEY)",
        "CREATE TABLE changed (code VARCHAR NOT NULL PRIMARY KEY, again BOOLEAN NOT NULL)",
        "CREATE TABLE selection (name VARCHAR NOT NULL PRIMARY KEY, rules BLOB NOT NULL, "
        "upto INTEGER NOT NULL)",
        "CREATE TABLE selected (feed VARCHAR NOT NULL, published INTEGER NOT NULL, "
        "code VARCHAR NOT NULL, PRIMARY KEY (feed, published, code)) WITHOUT ROWID",
        "CREATE INDEX selected_code ON selected (code)",
        "CREATE TABLE archive (feed VARCHAR NOT NULL, number INTEGER NOT NULL, "
        "codes VARCHAR NOT NULL, is_sealed BOOLEAN NOT NULL, is_written BOOLEAN NOT NULL, "
        "fingerprint BLOB NOT NULL, PRIMARY KEY (feed, number)) WITHOUT ROWID",
        "CREATE TABLE archiving (feed VARCHAR NOT NULL PRIMARY KEY, upto INTEGER NOT NULL, "
        "pending VARCHAR NOT NULL)",
        "CREATE TABLE page_file (path VARCHAR NOT NULL PRIMARY KEY, fingerprint BLOB NOT NULL, "
        "size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL)",
        "CREATE TABLE ping (hub VARCHAR NOT NULL, topic VARCHAR NOT NULL, "
        "since INTEGER NOT NULL, due_at INTEGER NOT NULL, failures INTEGER NOT NULL, "
        "trouble VARCHAR, PRIMARY KEY (hub, topic))",
    ):
        connection.exec_driver_sql(statement)


# Append only, from version 2 on: a new store is made as schema.py has it.  Steps write
# their DDL out, since schema.py moves on and an old store must still get there.
STEPS: tuple[Callable[[Connection], None], ...] = (_polled_urls, _formats_and_archives)
VERSION = len(STEPS) + 1


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
    if done > VERSION:
        raise StoreError(
            f"{name}: written by a newer version of aggregator (store version {done}, this one "
            f"knows {VERSION}); install that version, or move the file away to start anew"
        )
    if is_new:
        schema.metadata.create_all(connection, checkfirst=False)
    else:
        for step in STEPS[done - 1 :]:
            step(connection)
    if done < VERSION:
        connection.execute(
            schema.migration.insert(),
            [
                {"number": number, "applied_at": int(now.timestamp())}
                for number in range(done + 1, VERSION + 1)
            ],
        )
    return is_new
