"""Every change that is made to the store."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from aggregator.model import Article, Batch, Change, Copy, FeedState
from aggregator.store import schema


def seconds(moment: datetime.datetime) -> int:
    """An aware datetime as whole seconds since 1970."""
    return int(moment.timestamp())


def maybe_seconds(moment: datetime.datetime | None) -> int | None:
    """The same for a value that may be missing."""
    return None if moment is None else seconds(moment)


def save_origin(connection: Connection, name: str, rules: bytes, now: datetime.datetime) -> None:
    """Note that an origin was read in full with these rules."""
    _upsert(
        connection, schema.origin, [{"name": name, "rules": rules, "polled_at": seconds(now)}]
    )


def apply_batch(
    connection: Connection, batch: Batch, drops: bool, now: datetime.datetime
) -> None:
    """Store what an origin found, and mark the articles that must be merged anew.

    `drops` says that what is gone from this origin leaves the feeds, as what is
    withdrawn always does.
    """
    leaving = (*batch.gone, *batch.withdrawn)
    _replace_problems(connection, batch, now)
    withdrawn = _forget(connection, batch.origin, leaving, set(leaving if drops else batch.withdrawn))
    if batch.gone:
        table = schema.file
        connection.execute(
            delete(table).where(table.c.origin == batch.origin, table.c.path.in_(batch.gone))
        )
    codes = _save_copies(connection, batch.origin, batch.copies, now)
    codes |= withdrawn.keys()
    if codes:
        rows = [{"code": code, "withdrawn": withdrawn.get(code, False)} for code in sorted(codes)]
        _upsert(connection, schema.pending, rows)
    if batch.states:
        _upsert(
            connection,
            schema.file,
            [
                {
                    "origin": batch.origin,
                    "path": state.path,
                    "size": state.size,
                    "mtime_ns": state.mtime_ns,
                    "ctime_ns": state.ctime_ns,
                    "inode": state.inode,
                    "content_hash": state.content_hash,
                    "young": state.young,
                }
                for state in batch.states
            ],
        )


def apply_changes(
    connection: Connection,
    merged: Iterable[str],
    changes: Sequence[Change],
    known: Mapping[str, Article],
    now: datetime.datetime,
) -> None:
    """Store what merging decided, and take the codes off the list of those that wait."""
    new = [change.article for change in changes if change.article.code not in known]
    old = [change.article for change in changes if change.article.code in known]
    if new:
        connection.execute(schema.article.insert(), [_article_row(article) for article in new])
    if old:
        _upsert(connection, schema.article, [_article_row(article) for article in old], "code")
    revisions = [
        {
            "code": change.article.code,
            "number": change.article.revision,
            "seen_at": seconds(now),
            "title": change.article.title,
            "media_type": change.article.media_type,
            "body_id": change.article.body_id,
        }
        for change in changes
        if change.kind in ("new", "revised")
    ]
    if revisions:
        connection.execute(schema.revision.insert(), revisions)
    touched = sorted(set().union(*(change.touched for change in changes)))
    if touched:
        _upsert(connection, schema.touched, [{"source": source} for source in touched])
    codes = list(merged)
    connection.execute(delete(schema.pending).where(schema.pending.c.code.in_(codes)))


def remember(connection: Connection, articles: Iterable[Article]) -> None:
    """Put articles into the ledger whose text is not known (any more)."""
    rows = [_article_row(article) for article in articles]
    if rows:
        connection.execute(schema.article.insert(), rows)


def save_renditions(
    connection: Connection, rules: bytes, rows: Iterable[tuple[str, int, bytes]]
) -> None:
    """Keep clean HTML: (code, revision, packed HTML)."""
    values = [
        {"code": code, "revision": revision, "rules": rules, "html": html}
        for code, revision, html in rows
    ]
    if values:
        _upsert(connection, schema.rendition, values)


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
        _upsert(connection, schema.feed, rows)


def feeds_are_current(connection: Connection, now: datetime.datetime) -> None:
    """Note that all feeds show what is due by now."""
    connection.execute(update(schema.feed).values(checked_at=seconds(now)))


def clear_touched(connection: Connection) -> None:
    """Empty the list of sources to build."""
    connection.execute(delete(schema.touched))


def clear_renditions(connection: Connection) -> None:
    """Forget all clean HTML, so that everything is cleaned anew."""
    connection.execute(delete(schema.rendition))


def prune_bodies(connection: Connection) -> None:
    """Delete texts that neither a copy, an article nor a revision refers to."""
    used = (
        select(schema.copy.c.body_id)
        .union(select(schema.revision.c.body_id))
        .union(select(schema.article.c.body_id).where(schema.article.c.body_id.is_not(None)))
    )
    connection.execute(delete(schema.body).where(schema.body.c.body_id.not_in(used)))


def _replace_problems(connection: Connection, batch: Batch, now: datetime.datetime) -> None:
    """Put a batch's problems in the place of older ones; what stays keeps its date."""
    table = schema.problem
    since: dict[tuple[str, str], int] = {}
    locations = (*batch.read, *batch.gone, *batch.withdrawn)
    if locations:
        old = (table.c.origin == batch.origin) & table.c.location.in_(locations)
        rows = connection.execute(select(table.c.location, table.c.reason, table.c.seen_at).where(old))
        since = {(row.location, row.reason): row.seen_at for row in rows}
        if since:
            connection.execute(delete(table).where(old))
    if batch.problems:
        connection.execute(
            table.insert(),
            [
                {
                    "origin": batch.origin,
                    "location": problem.location,
                    "line": problem.line,
                    "reason": problem.reason,
                    "seen_at": since.get((problem.location, problem.reason), seconds(now)),
                }
                for problem in batch.problems
            ],
        )


def _forget(
    connection: Connection, origin: str, locations: Sequence[str], withdrawn: set[str]
) -> dict[str, bool]:
    """Delete copies; return their codes, and whether each was withdrawn."""
    if not locations:
        return {}
    table = schema.copy
    leaving = (table.c.origin == origin) & table.c.location.in_(locations)
    rows = connection.execute(select(table.c.code, table.c.location).where(leaving)).all()
    connection.execute(delete(table).where(leaving))
    codes: dict[str, bool] = {}
    for row in rows:
        codes[row.code] = codes.get(row.code, False) or row.location in withdrawn
    return codes


def _save_copies(
    connection: Connection, origin: str, copies: Sequence[Copy], now: datetime.datetime
) -> set[str]:
    """Insert or replace copies; return every code that they or their forerunners have."""
    if not copies:
        return set()
    table = schema.copy
    before = {
        row.location: row
        for row in connection.execute(
            select(
                table.c.location, table.c.code, table.c.raw_hash, table.c.body_id, table.c.changed
            ).where(
                table.c.origin == origin, table.c.location.in_([copy.location for copy in copies])
            )
        )
    }
    codes = {copy.code for copy in copies} | {row.code for row in before.values()}
    body_ids = iter(_save_bodies(connection, [
        copy.body
        for copy in copies
        if copy.location not in before or before[copy.location].raw_hash != copy.raw_hash
    ]))
    rows: list[dict[str, Any]] = []
    for copy in copies:
        old = before.get(copy.location)
        same = old is not None and old.raw_hash == copy.raw_hash
        rows.append(
            {
                "origin": origin,
                "location": copy.location,
                "code": copy.code,
                "source": copy.source,
                "source_name": copy.source_name,
                "title": copy.title,
                "published": maybe_seconds(copy.published),
                "published_guess": seconds(copy.published_guess),
                "raw_hash": copy.raw_hash,
                "is_full": copy.is_full,
                "media_type": copy.media_type,
                "link": copy.link,
                "share_url": copy.share_url,
                "categories": json.dumps(copy.categories, ensure_ascii=False),
                "changed": None if old is None else old.changed if same else seconds(now),
                "body_id": old.body_id if old is not None and same else next(body_ids),
            }
        )
    if before:
        connection.execute(
            delete(table).where(table.c.origin == origin, table.c.location.in_(list(before)))
        )
    connection.execute(table.insert(), rows)
    return codes


def _save_bodies(connection: Connection, texts: Sequence[bytes]) -> range:
    """Insert packed texts; return their numbers."""
    if not texts:
        return range(0)
    table = schema.body
    last = connection.execute(
        select(table.c.body_id).order_by(table.c.body_id.desc()).limit(1)
    ).scalar_one_or_none()
    numbers = range((last or 0) + 1, (last or 0) + 1 + len(texts))
    connection.execute(
        table.insert(),
        [{"body_id": number, "text": text} for number, text in zip(numbers, texts, strict=True)],
    )
    return numbers


def _article_row(article: Article) -> dict[str, Any]:
    return {
        "code": article.code,
        "source": article.source,
        "source_name": article.source_name,
        "first_seen": seconds(article.first_seen),
        "published": seconds(article.published),
        "updated": maybe_seconds(article.updated),
        "revision": article.revision,
        "version": article.version,
        "title": article.title,
        "raw_hash": article.raw_hash,
        "body_id": article.body_id,
        "media_type": article.media_type,
        "link": article.link,
        "share_url": article.share_url,
        "categories": json.dumps(article.categories, ensure_ascii=False),
        "removed": article.removed,
    }


def _upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: str | None = None
) -> None:
    """Insert rows, or replace the values of those whose key is there already."""
    keys = [key] if key else [column.name for column in table.primary_key]
    statement = insert(table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    statement = (
        statement.on_conflict_do_update(index_elements=keys, set_=values)
        if values
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    connection.execute(statement, rows)
