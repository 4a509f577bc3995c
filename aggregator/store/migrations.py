"""The store's history: numbered steps, in order, never changed once released."""

from __future__ import annotations

import datetime
import json
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection, inspect, select

from aggregator.model.errors import StoreError
from aggregator.model.packing import pack
from aggregator.store import robots, schema
from aggregator.store.article_migrations import articles_of_the_site
from aggregator.store.url_migrations import polled_urls, upstream_client


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


def _places_and_files(connection: Connection) -> None:
    """Version 4: a row for each place in an archive, and for each published file."""
    if "is_full" not in {column["name"] for column in inspect(connection).get_columns("article")}:
        # Some stores of version 1 were made before there were excerpts.
        connection.exec_driver_sql(
            "ALTER TABLE article ADD COLUMN is_full BOOLEAN DEFAULT 1 NOT NULL"
        )
    for statement in (
        "CREATE TABLE place (feed VARCHAR NOT NULL, code VARCHAR NOT NULL, "
        "revision INTEGER NOT NULL, number INTEGER NOT NULL, position INTEGER NOT NULL, "
        "PRIMARY KEY (feed, code, revision)) WITHOUT ROWID",
        "CREATE INDEX place_document ON place (feed, number, position)",
        "CREATE TABLE unplaced (feed VARCHAR NOT NULL, code VARCHAR NOT NULL, "
        "PRIMARY KEY (feed, code)) WITHOUT ROWID",
        "CREATE TABLE published_file (file_id INTEGER NOT NULL PRIMARY KEY, "
        "path VARCHAR NOT NULL UNIQUE, feed VARCHAR NOT NULL, document INTEGER NOT NULL, "
        "size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, checksum INTEGER NOT NULL, "
        "fingerprint BLOB NOT NULL)",
        "CREATE INDEX published_file_feed ON published_file (feed, document)",
        "INSERT INTO published_file (path, feed, document, size, mtime_ns, checksum, fingerprint) "
        "SELECT path, '', 0, size, mtime_ns, -1, fingerprint FROM page_file",
        "DROP TABLE page_file",
    ):
        connection.exec_driver_sql(statement)
    stems = _move_files(connection)
    for (feed,) in connection.exec_driver_sql("SELECT DISTINCT feed FROM archive").all():
        _move_places(connection, feed, stems.get(feed))
    for statement in (
        "ALTER TABLE archive DROP COLUMN codes",
        "ALTER TABLE archiving DROP COLUMN pending",
        "ALTER TABLE feed DROP COLUMN files",
    ):
        connection.exec_driver_sql(statement)


def _move_files(connection: Connection) -> dict[str, str]:
    """Give every file of a feed its row; return the paths of archives without their numbers."""
    stems = {}
    for feed, text in connection.exec_driver_sql("SELECT key, files FROM feed").all():
        try:
            files = [(str(path), int(size), int(mtime)) for path, size, mtime in json.loads(text)]
        except (ValueError, TypeError):
            continue  # it will be published again
        for path, size, mtime in files:
            if path.startswith("archives/"):
                stems[feed] = path.removesuffix(".atom").rpartition(".")[0]
                continue
            connection.exec_driver_sql(
                "INSERT OR IGNORE INTO published_file "
                "(path, feed, document, size, mtime_ns, checksum, fingerprint) "
                "VALUES (?, ?, 0, ?, ?, -1, x'')",
                (path, feed, size, mtime),
            )
    return stems


def _move_places(connection: Connection, feed: str, stem: str | None) -> None:
    """Give each place in a feed's archive its row, and repair archives that hold doubles.

    A killed build or a feed that could not be written had the same revision archived again
    and again.  Of as many places as an article has had revisions, the first ones are kept.
    """
    documents = connection.exec_driver_sql(
        "SELECT number, codes FROM archive WHERE feed = ? ORDER BY number", (feed,)
    ).all()
    places: dict[str, list[tuple[int, int]]] = {}
    for number, codes in documents:
        for position, code in enumerate(codes.split("\n") if codes else ()):
            places.setdefault(code, []).append((number, position))
    pending = connection.exec_driver_sql("SELECT pending FROM archiving WHERE feed = ?", (feed,))
    waiting = {code for (text,) in pending for code in text.split("\n") if code}
    again = connection.exec_driver_sql("SELECT code FROM changed WHERE again").scalars()
    later = waiting.union(again)
    revisions: dict[str, int] = {
        row.code: row.revision
        for row in connection.exec_driver_sql("SELECT code, revision FROM article")
    }
    rewritten: set[int] = set()
    rows = []
    for code, found in places.items():
        newest = max(revisions.get(code, 1) - (code in later), 1)
        kept = found[:newest]
        if len(kept) < len(found):
            rewritten.update(number for number, _ in found)
        first = newest - len(kept) + 1
        rows += [
            (feed, code, first + index, number, position)
            for index, (number, position) in enumerate(kept)
        ]
    if rows:
        connection.exec_driver_sql("INSERT INTO place VALUES (?, ?, ?, ?, ?)", rows)
    if waiting:
        unplaced = [(feed, code) for code in sorted(waiting)]
        connection.exec_driver_sql("INSERT INTO unplaced VALUES (?, ?)", unplaced)
    if rewritten:
        last = max(number for _, _, _, number, _ in rows)
        numbers = [number for number, _ in documents]
        _rewrite_documents(connection, feed, stem, numbers, rewritten, last)


def _rewrite_documents(
    connection: Connection,
    feed: str,
    stem: str | None,
    numbers: Sequence[int],
    rewritten: Collection[int],
    last: int,
) -> None:
    """Have the documents that lost doubles written again, and those after the last removed."""
    for number in numbers:
        if number > last:
            # Nothing is left in it: the build removes its file.
            connection.exec_driver_sql(
                "DELETE FROM archive WHERE feed = ? AND number = ?", (feed, number)
            )
            if stem is not None:
                connection.exec_driver_sql(
                    "INSERT OR IGNORE INTO published_file "
                    "(path, feed, document, size, mtime_ns, checksum, fingerprint) "
                    "VALUES (?, ?, ?, 0, 0, -1, x'')",
                    (f"{stem}.{number}.atom", feed, number),
                )
        elif number in rewritten or number == last:
            connection.exec_driver_sql(
                "UPDATE archive SET is_written = 0, is_sealed = ? WHERE feed = ? AND number = ?",
                (number != last, feed, number),
            )
    # Documents are only looked at where a feed is.
    connection.exec_driver_sql("INSERT OR IGNORE INTO touched_feed VALUES (?)", (feed,))


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


def _version_7(connection: Connection) -> None:
    articles_of_the_site(connection)


# Append only, from version 2 on: a new store is made as schema.py has it.  Steps write
# their DDL out, since schema.py moves on and an old store must still get there.
STEPS: tuple[Callable[[Connection], None], ...] = (
    polled_urls,
    _formats_and_archives,
    _places_and_files,
    _one_codec,
    upstream_client,
    _version_7,
)
VERSION = len(STEPS) + 1
# A table that each version brought, or a table and a column of it, the newest version first.
_MARKS = (
    (robots.table.name, "", 6),
    ("dirty_source", "", 5),
    ("place", "", 4),
    ("archive", "", 3),
    ("url", "", 2),
)


def version_of(tables: Mapping[str, str]) -> int:
    """Return the version of a store whose `migration` table is lost, from its tables' SQL."""
    return next(
        (version for name, column, version in _MARKS if name in tables and column in tables[name]),
        1,
    )


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
            f"knows {VERSION}); install that version, or move the file away to start over"
        )
    if is_new:
        schema.metadata.create_all(connection, checkfirst=False)
    else:
        for step in STEPS[max(done, 1) - 1 :]:
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
    for table in schema.metadata.sorted_tables:
        columns = connection.exec_driver_sql(f'PRAGMA table_info("{table.name}")').all()
        found = {column[1] for column in columns}
        missing = {column.name for column in table.columns} - found
        if missing:
            raise StoreError(
                f"{name}: cannot be brought up to date: {table.name} has no "
                f"{', '.join(sorted(missing))}. It was left as it was; move it away to start over"
            )
