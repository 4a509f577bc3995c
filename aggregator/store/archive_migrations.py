"""The step of `migrations` that gave archives and files their own rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, inspect


def places_and_files(connection: Connection) -> None:
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
