"""The manifest: what is published, and what every feed showed last (design §3, steps 5 and 7)."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, update

from aggregator.model import Activity, FeedState, Headline, PublishedFile
from aggregator.store import schema
from aggregator.store.reads import instant
from aggregator.store.writes import seconds, upsert_rows


def feed_states(connection: Connection) -> dict[str, FeedState]:
    """The manifest: every published feed by its key."""
    return {
        row.key: FeedState(
            key=row.key,
            title=row.title,
            rules=row.rules,
            fingerprint=row.fingerprint,
            entries=row.entries,
            updated=instant(row.updated),
            checked_at=instant(row.checked_at),
            files=tuple(PublishedFile(*values) for values in json.loads(row.files)),
            activity=_activity(row.activity),
        )
        for row in connection.execute(select(schema.feed))
    }


def paths(connection: Connection) -> list[str]:
    """Every file that is looked after, relative to the folder of the feeds."""
    rows = connection.execute(select(schema.feed.c.files)).scalars()
    found = [path for files in rows for path, _, _ in json.loads(files)]
    return [*found, *connection.execute(select(schema.page_file.c.path)).scalars()]


def touched_sources(connection: Connection) -> set[str]:
    """Sources whose articles changed since they were last built."""
    return set(connection.execute(select(schema.touched.c.source)).scalars())


def touched_feeds(connection: Connection) -> set[str]:
    """The keys of feeds of tags and filters that may look different."""
    return set(connection.execute(select(schema.touched_feed.c.feed)).scalars())


def touch_feeds(connection: Connection, keys: Iterable[str]) -> None:
    """Note that feeds of tags and filters may look different."""
    rows = [{"feed": key} for key in sorted(keys)]
    if rows:
        upsert_rows(connection, schema.touched_feed, rows)


def changed_codes(connection: Connection) -> dict[str, bool]:
    """Articles that changed after they were first seen, and which of them come again."""
    table = schema.changed
    return {row.code: row.again for row in connection.execute(select(table))}


def save_feeds(connection: Connection, states: Iterable[FeedState]) -> None:
    """Save the manifest's rows of feeds that are on disk."""
    rows = [
        {
            "key": state.key,
            "title": state.title,
            "rules": state.rules,
            "fingerprint": state.fingerprint,
            "entries": state.entries,
            "updated": seconds(state.updated),
            "checked_at": seconds(state.checked_at),
            "files": json.dumps([_file_values(file) for file in state.files]),
            "activity": _activity_values(state.activity),
        }
        for state in states
    ]
    if rows:
        upsert_rows(connection, schema.feed, rows)


def forget_feeds(connection: Connection, keys: Iterable[str]) -> None:
    """Forget feeds that are not configured any more, and their archives."""
    names = list(keys)
    connection.execute(delete(schema.feed).where(schema.feed.c.key.in_(names)))
    for table in (schema.archive, schema.archiving):
        connection.execute(delete(table).where(table.c.feed.in_(names)))


def feeds_are_current(connection: Connection, now: datetime.datetime) -> None:
    """Note that all feeds show what is due by now, and all that changed."""
    connection.execute(update(schema.feed).values(checked_at=seconds(now)))
    for table in (schema.touched, schema.touched_feed, schema.changed):
        connection.execute(delete(table))


def page_files(connection: Connection) -> dict[str, tuple[bytes, PublishedFile]]:
    """Files that are no feeds, by path: what they were made from, and how they were left."""
    return {
        row.path: (row.fingerprint, PublishedFile(row.path, row.size, row.mtime_ns))
        for row in connection.execute(select(schema.page_file))
    }


def save_page_files(
    connection: Connection, files: Iterable[tuple[bytes, PublishedFile]], gone: Iterable[str]
) -> None:
    """Save how files that are no feeds were left, and forget those that are gone."""
    table = schema.page_file
    connection.execute(delete(table).where(table.c.path.in_(list(gone))))
    rows = [
        {"path": file.path, "fingerprint": digest, "size": file.size, "mtime_ns": file.mtime_ns}
        for digest, file in files
    ]
    if rows:
        upsert_rows(connection, table, rows)


def _file_values(file: PublishedFile) -> tuple[str, int, int]:
    return file.path, file.size, file.mtime_ns


def _activity_values(activity: Activity) -> str:
    newest = [
        (headline.title, headline.url, seconds(headline.published)) for headline in activity.newest
    ]
    return json.dumps([activity.articles, activity.days, newest], ensure_ascii=False)


def _activity(text: str) -> Activity:
    if text == "[]":
        return Activity()
    articles, days, newest = json.loads(text)
    return Activity(
        articles,
        tuple((day, count) for day, count in days),
        tuple(Headline(title, url, instant(published)) for title, url, published in newest),
    )
