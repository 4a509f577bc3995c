"""The manifest: every published file, and what every feed showed last."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, delete, select, update

from aggregator.model.errors import DamagedStoreError
from aggregator.model.feeds import Activity, FeedState, Headline, PublishedFile
from aggregator.store import schema
from aggregator.store.rows import instant, pieces, seconds, upsert_rows
from aggregator.store.similar import similar_changed

# The feed of the index page's files, which belong to none.
_PAGE = ""
# What the feed of an article's page starts with, before its code.
PAGE_OF = "page:"


def feed_states(connection: Connection) -> dict[str, FeedState]:
    """Return every published feed by its key."""
    files: dict[str, list[PublishedFile]] = {}
    table = schema.published_file
    # Sorted here, since the database would rather read the whole table in order.
    rows = connection.execute(select(table).where(table.c.feed > _PAGE, schema.IS_OF_FEED)).all()
    for row in sorted(rows, key=lambda row: row.file_id):
        files.setdefault(row.feed, []).append(file_from(row))
    return {
        row.key: FeedState(
            key=row.key,
            title=row.title,
            rules=row.rules,
            fingerprint=row.fingerprint,
            entries=row.entries,
            updated=instant(row.updated),
            checked_at=instant(row.checked_at),
            files=tuple(files.get(row.key, ())),
            activity=activity_from(row),
            whole=row.whole,
        )
        for row in connection.execute(select(schema.feed))
    }


def paths(connection: Connection) -> list[str]:
    """Return the path of every published file but pages of articles, from the feeds folder."""
    table = schema.published_file
    query = select(table.c.path).where(~table.c.feed.startswith(PAGE_OF, autoescape=True))
    return list(connection.execute(query.order_by(table.c.path)).scalars())


def paths_of(connection: Connection, feeds: Collection[str]) -> list[str]:
    """Return the paths of the files of the given feeds and of their archives."""
    table = schema.published_file
    found: list[str] = []
    for piece in pieces(sorted(feeds)):
        query = select(table.c.path).where(table.c.feed.in_(piece)).order_by(table.c.path)
        found += connection.execute(query).scalars()
    return found


def dirty_sources(connection: Connection) -> set[str]:
    """Return the sources whose articles changed since the last build."""
    return set(connection.execute(select(schema.dirty_source.c.source)).scalars())


def dirty_feeds(connection: Connection) -> set[str]:
    """Return the keys of feeds that may look different for any other reason."""
    return set(connection.execute(select(schema.dirty_feed.c.feed)).scalars())


def mark_dirty(connection: Connection, keys: Iterable[str]) -> None:
    """Note that the given feeds may look different, so that the next build compares them."""
    rows = [{"feed": key} for key in sorted(keys)]
    if rows:
        upsert_rows(connection, schema.dirty_feed, rows)


def changed_codes(connection: Connection) -> dict[str, bool]:
    """Return the articles that changed since they arrived, and whether each is republished."""
    table = schema.changed
    return {row.code: row.again for row in connection.execute(select(table))}


def publish_again(connection: Connection, codes: Iterable[str]) -> None:
    """Note that feeds show the given articles which did not show them before."""
    rows = [{"code": code, "again": True} for code in sorted(codes)]
    upsert_rows(connection, schema.changed, rows)


def save_feeds(connection: Connection, states: Collection[FeedState]) -> None:
    """Save the rows of feeds that are on disk."""
    rows = [
        {
            "key": state.key,
            "title": state.title,
            "rules": state.rules,
            "fingerprint": state.fingerprint,
            "entries": state.entries,
            "updated": seconds(state.updated),
            "checked_at": seconds(state.checked_at),
            "activity": _activity_values(state.activity),
            "whole": state.whole,
        }
        for state in states
    ]
    if not rows:
        return
    upsert_rows(connection, schema.feed, rows)
    _forget_files(connection, {(state.key, 0): state.files for state in states})
    save_files(connection, [(state.key, 0, file) for state in states for file in state.files])


def documents(connection: Connection) -> list[tuple[str, int, PublishedFile]]:
    """Return every file of an archive document: feed, number, and the file as it was written."""
    table = schema.published_file
    rows = connection.execute(select(table).where(schema.IS_OF_ARCHIVE))
    return [(row.feed, row.document, file_from(row)) for row in rows]


def save_files_of(
    connection: Connection, left: Mapping[tuple[str, int], Collection[PublishedFile]]
) -> None:
    """Save which files each document has, by feed and number, in place of those it had."""
    _forget_files(connection, left)
    save_files(connection, [(*key, file) for key, files in left.items() for file in files])


def stray_paths(connection: Connection) -> list[str]:
    """Return the files of documents that no archive has any more, after a repair."""
    table, archive = schema.published_file, schema.archive
    has_document = (
        select(archive.c.number)
        .where(archive.c.feed == table.c.feed, archive.c.number == table.c.document)
        .exists()
    )
    query = select(table.c.path).where(schema.IS_OF_ARCHIVE, ~has_document)
    return list(connection.execute(query).scalars())


def forget_paths(connection: Connection, paths: Collection[str]) -> None:
    """Delete the rows of files that were removed."""
    table = schema.published_file
    for piece in pieces(sorted(paths)):
        connection.execute(delete(table).where(table.c.path.in_(piece)))


def forget_feeds(connection: Connection, keys: Collection[str]) -> None:
    """Delete feeds that are no longer configured, and their archives."""
    for piece in pieces(sorted(keys)):
        connection.execute(delete(schema.feed).where(schema.feed.c.key.in_(piece)))
        for table in (
            schema.archive,
            schema.place,
            schema.archiving,
            schema.unplaced,
            schema.published_file,
        ):
            connection.execute(delete(table).where(table.c.feed.in_(piece)))


def feeds_are_current(
    connection: Connection,
    now: datetime.datetime,
    failed: Collection[str],
    *,
    has_archives: bool,
) -> None:
    """Note that all feeds but the `failed` ones show what is due now and all that changed.

    If archives are switched off, the changes are kept for when they are switched on again.
    """
    connection.execute(update(schema.feed).values(checked_at=seconds(now)))
    for table in (schema.dirty_source, schema.dirty_feed, similar_changed):
        connection.execute(delete(table))
    if has_archives or connection.execute(select(schema.archiving).limit(1)).first() is None:
        connection.execute(delete(schema.changed))
    mark_dirty(connection, failed)


def page_files(connection: Connection) -> dict[str, tuple[bytes, PublishedFile]]:
    """Return the index page's files by path: what each was made from, and how it was written."""
    table = schema.published_file
    rows = connection.execute(select(table).where(table.c.feed == _PAGE))
    return {row.path: (row.fingerprint, file_from(row)) for row in rows}


def save_page_files(
    connection: Connection, files: Collection[tuple[bytes, PublishedFile]], gone: Collection[str]
) -> None:
    """Save the index page's files, and delete those that are gone."""
    table = schema.published_file
    connection.execute(delete(table).where(table.c.feed == _PAGE, table.c.path.in_(list(gone))))
    save_files(connection, [(_PAGE, 0, file) for _, file in files], [digest for digest, _ in files])


def _forget_files(
    connection: Connection, left: Mapping[tuple[str, int], Collection[PublishedFile]]
) -> None:
    """Delete the rows of files that the given documents do not have any more."""
    table = schema.published_file
    numbers = sorted({document for _, document in left})
    gone = []
    for piece in pieces(sorted({feed for feed, _ in left})):
        rows = connection.execute(
            select(table.c.feed, table.c.document, table.c.path).where(
                table.c.feed.in_(piece), table.c.document.in_(numbers)
            )
        )
        gone += [
            path
            for feed, document, path in rows.all()
            if (feed, document) in left and all(path != file.path for file in left[feed, document])
        ]
    forget_paths(connection, gone)


def save_files(
    connection: Connection,
    files: Collection[tuple[str, int, PublishedFile]],
    fingerprints: Iterable[bytes] | None = None,
) -> None:
    """Save files: (feed, number of the document, file)."""
    made_from = fingerprints if fingerprints is not None else [b""] * len(files)
    rows = [
        {
            "path": file.path,
            "feed": feed,
            "document": document,
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "checksum": file.checksum,
            "fingerprint": fingerprint,
            "etag": file.etag,
        }
        for (feed, document, file), fingerprint in zip(files, made_from, strict=True)
    ]
    if rows:
        upsert_rows(connection, schema.published_file, rows, "path")


def file_from(row: object) -> PublishedFile:
    """Return a row of the table of published files as a value."""
    names = ("path", "size", "mtime_ns", "checksum", "etag")
    return PublishedFile(*(getattr(row, name) for name in names))


def _activity_values(activity: Activity) -> str:
    newest = [
        (headline.title, headline.url, seconds(headline.published)) for headline in activity.newest
    ]
    return json.dumps([activity.articles, activity.days, newest], ensure_ascii=False)


def activity_from(row: object) -> Activity:
    """Return the activity of a row of the table of feeds.

    Raises `DamagedStoreError` if it cannot be read.
    """
    key, text = getattr(row, "key", ""), getattr(row, "activity", "")
    if text == "[]":
        return Activity()
    try:
        articles, days, newest = json.loads(text)
        return Activity(
            articles,
            tuple((day, count) for day, count in days),
            tuple(Headline(title, url, instant(published)) for title, url, published in newest),
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise DamagedStoreError(f"the record of the feed {key} cannot be read: {error}") from error
