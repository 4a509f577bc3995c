"""The store's history: numbered steps, in order, never changed once released."""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, func, inspect, select

from aggregator.model.errors import StoreError
from aggregator.model.packing import pack
from aggregator.store import (
    cluster_migrations,
    hub_queue,
    index_migrations,
    machines,
    page_migrations,
    pages,
    renditions,
    robots,
    schema,
    shared,
    similar,
    stories,
    urls,
)
from aggregator.store.archive_migrations import places_and_files
from aggregator.store.article_migrations import articles_of_the_site
from aggregator.store.similar_migrations import similar_articles
from aggregator.store.url_migrations import cadences, polled_urls, upstream_client


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


def _one_codec(connection: Connection) -> None:
    """Version 5: one codec for all texts, no digests of words, the names of the field.

    Texts that version 1 packed by zlib are packed by zstd, with one text at a time in memory.
    A damaged text stays as it is: reading it is a problem of its article.
    """
    for statement in (
        "ALTER TABLE copy DROP COLUMN words",
        "ALTER TABLE url RENAME COLUMN asked_at TO requested_at",
        "ALTER TABLE url RENAME COLUMN trouble TO error",
        "ALTER TABLE url RENAME COLUMN is_due_once TO fetch_once",
        "ALTER TABLE ping RENAME COLUMN trouble TO error",
        "ALTER TABLE touched RENAME TO dirty_source",
        "ALTER TABLE touched_feed RENAME TO dirty_feed",
    ):
        connection.exec_driver_sql(statement)
    # Sanitized texts are made again when a feed shows them.
    connection.exec_driver_sql("DELETE FROM rendition WHERE html >= x'78' AND html < x'79'")
    numbers = connection.exec_driver_sql(
        "SELECT body_id FROM body WHERE text >= x'78' AND text < x'79'"
    )
    for number in numbers.scalars().all():
        packed = connection.exec_driver_sql("SELECT text FROM body WHERE body_id = ?", (number,))
        try:
            text = zlib.decompress(packed.scalar_one()).decode("utf-8")
        except (zlib.error, UnicodeDecodeError):
            continue
        connection.exec_driver_sql(
            "UPDATE body SET text = ? WHERE body_id = ?", (pack(text), number)
        )


def _authors(connection: Connection) -> None:
    """Version 7: the authors of articles."""
    # A salvaged store that has lost its version may have the columns.
    for table in ("copy", "article"):
        if "author" not in {column["name"] for column in inspect(connection).get_columns(table)}:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN author VARCHAR")


def _content_rules(connection: Connection) -> None:
    """Version 7: which articles the owner's rules exclude, and which texts they change."""
    columns = {column["name"] for column in inspect(connection).get_columns("article")}
    if "excluded_by" not in columns:
        connection.exec_driver_sql("ALTER TABLE article ADD COLUMN excluded_by INTEGER")
    for statement in (
        "CREATE INDEX IF NOT EXISTS article_excluded ON article (excluded_by) "
        "WHERE excluded_by IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS rule_change (code VARCHAR NOT NULL, rule INTEGER NOT NULL, "
        "PRIMARY KEY (code, rule)) WITHOUT ROWID",
    ):
        connection.exec_driver_sql(statement)


def _limited_windows(connection: Connection) -> None:
    """Version 9: the windows of feeds that show fewer entries, since more are too large."""
    # A salvaged store that has lost its version may have the column.
    if "whole" not in {column["name"] for column in inspect(connection).get_columns("feed")}:
        kind = "BYTEA" if connection.dialect.name == "postgresql" else "BLOB"
        connection.exec_driver_sql(f"ALTER TABLE feed ADD COLUMN whole {kind} DEFAULT '' NOT NULL")


# Append only, from version 2 on: a new store is made as schema.py has it.  Steps write
# their DDL out, since schema.py moves on and an old store must still get there.
STEPS: tuple[tuple[Callable[[Connection], None], ...], ...] = (
    (polled_urls,),
    (_formats_and_archives,),
    (places_and_files,),
    (_one_codec,),
    (upstream_client,),
    (_authors, cadences, articles_of_the_site, _content_rules),
    (cluster_migrations.etags, cluster_migrations.machines, cluster_migrations.shared_state),
    (page_migrations.pages, _limited_windows, similar_articles),
    (index_migrations.conditional_indexes,),
)
VERSION = len(STEPS) + 1
# A table that each version brought, or a table and a column of it, the newest version first.
_MARKS = (
    (pages.page.name, "", 9),
    ("article", "page_month", 9),
    ("feed", "whole", 9),
    (similar.similar.name, "", 9),
    (stories.story.name, "", 9),
    (machines.machine.name, "", 8),
    ("published_file", "etag", 8),
    (shared.feed_list.name, "", 8),
    (renditions.rule_change.name, "", 7),
    ("article", "author", 7),
    ("copy", "author", 7),
    (urls.url_table.name, "cadence", 7),
    (robots.table.name, "", 6),
    ("dirty_source", "", 5),
    ("place", "", 4),
    ("archive", "", 3),
    (hub_queue.table.name, "", 3),
    (urls.url_table.name, "", 2),
)


def version_of(tables: Mapping[str, str]) -> int:
    """Return the version of a store whose `migration` table is lost, from its tables' SQL."""
    return next(
        (version for name, column, version in _MARKS if name in tables and column in tables[name]),
        1,
    )


def recorded_version(connection: Connection) -> int:
    """Return the version that a store has come to, 0 if it does not say one."""
    newest = select(func.max(schema.migration.c.number))
    return connection.execute(newest).scalar_one() or 0


def migrate(connection: Connection, name: str, now: datetime.datetime) -> bool:
    """Bring a store to this version; return whether it was new.

    Raises `StoreError` for a store that a newer version of the program has written.
    """
    is_new = not inspect(connection).has_table("migration")
    done = 0 if is_new else recorded_version(connection)
    if done > VERSION:
        raise StoreError(
            f"{name}: written by a newer version of aggregator (store version {done}, this one "
            f"knows {VERSION}); install that version, or move the file away to start over"
        )
    if is_new:
        schema.metadata.create_all(connection, checkfirst=False)
    else:
        for steps in STEPS[max(done, 1) - 1 :]:
            for step in steps:
                step(connection)
        if done < VERSION:
            _check_columns(connection, name)
    if done < VERSION:
        connection.execute(
            schema.migration.insert(),
            [
                {"number": number, "applied_at": int(now.timestamp())}
                for number in range(done + 1, VERSION + 1)
            ],
        )
    return is_new


def _check_columns(connection: Connection, name: str) -> None:
    """Raise `StoreError` if a migrated store has not come out as a new one is."""
    there = inspect(connection)
    for table in schema.metadata.sorted_tables:
        found = {column["name"] for column in there.get_columns(table.name)}
        missing = {column.name for column in table.columns} - found
        if missing:
            raise StoreError(
                f"{name}: cannot be brought up to date: {table.name} has no "
                f"{', '.join(sorted(missing))}. It was left as it was; move it away to start over"
            )
