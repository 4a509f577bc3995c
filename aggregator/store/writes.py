"""Every change that is made to the store."""

from __future__ import annotations

import datetime
import json
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, delete, select, union, update
from sqlalchemy.dialects.sqlite import insert

from aggregator.model import Article, Batch, Change, Copy, CopyFacts, Enclosure
from aggregator.store import schema


def seconds(moment: datetime.datetime) -> int:
    """An aware datetime as whole seconds since 1970."""
    return int(moment.timestamp())


def maybe_seconds(moment: datetime.datetime | None) -> int | None:
    """The same for a value that may be missing."""
    return None if moment is None else seconds(moment)


def save_origin(connection: Connection, name: str, rules: bytes, now: datetime.datetime) -> None:
    """Note that an origin was read in full with these rules."""
    upsert_rows(
        connection, schema.origin, [{"name": name, "rules": rules, "polled_at": seconds(now)}]
    )


def start_poll(connection: Connection) -> int:
    """The number of this poll: that of the last one if it was killed, else the next."""
    table = schema.poll
    last = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()
    if last is not None and not last.finished:
        return int(last.number)
    number = last.number + 1 if last is not None else 1
    connection.execute(table.insert().values(number=number, finished=False))
    return int(number)


def finish_poll(connection: Connection, number: int) -> None:
    """Note that a poll has come to its end."""
    table = schema.poll
    connection.execute(update(table).where(table.c.number == number).values(finished=True))
    connection.execute(delete(table).where(table.c.number < number))


def forget_origin(connection: Connection, name: str) -> None:
    """Forget that an origin was ever read."""
    table = schema.origin
    connection.execute(delete(table).where(table.c.name == name))


def save_states(connection: Connection, batch: Batch) -> None:
    """Store what the files of a batch look like, and forget those that are gone."""
    table = schema.file
    if batch.gone:
        connection.execute(
            delete(table).where(table.c.origin == batch.origin, table.c.path.in_(batch.gone))
        )
    if batch.states:
        rows = [
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
        ]
        upsert_rows(connection, table, rows)


def forget_copies(connection: Connection, origin: str, locations: Sequence[str]) -> None:
    """Delete the copies at some locations."""
    table = schema.copy
    connection.execute(
        delete(table).where(table.c.origin == origin, table.c.location.in_(locations))
    )


def save_copies(
    connection: Connection,
    copies: Sequence[Copy],
    before: Mapping[str, CopyFacts],
    now: datetime.datetime,
    unchanged: Container[str] = (),
) -> list[CopyFacts]:
    """Insert copies in the place of those `before`; return their facts, in order.

    Those at the locations `unchanged` read as before, though their raw text differs.
    """
    if not copies:
        return []
    changed = [
        copy
        for copy in copies
        if copy.location not in before or before[copy.location].raw_hash != copy.raw_hash
    ]
    body_ids = iter(save_bodies(connection, [copy.body for copy in changed]))
    facts: list[CopyFacts] = []
    for copy in copies:
        old = before.get(copy.location)
        same = old is not None and old.raw_hash == copy.raw_hash
        facts.append(
            CopyFacts(
                body_id=old.body_id if old is not None and same else next(body_ids),
                code=copy.code,
                origin=copy.origin,
                location=copy.location,
                source=copy.source,
                source_name=copy.source_name,
                title=copy.title,
                published=copy.published,
                published_guess=copy.published_guess,
                raw_hash=copy.raw_hash,
                is_full=copy.is_full,
                link=copy.link,
                share_url=copy.share_url,
                categories=copy.categories,
                changed=None
                if old is None
                else old.changed
                if same or copy.location in unchanged
                else now,
                media_type=copy.media_type,
                permalink=copy.permalink,
                base=copy.base,
                enclosures=copy.enclosures,
                title_guess=copy.title_guess,
                words=copy.words or (old.words if old is not None and same else b""),
            )
        )
    if before:
        forget_copies(connection, copies[0].origin, [copy.location for copy in copies])
    insert_rows(connection, schema.copy, [_copy_row(fact) for fact in facts])
    return facts


def save_changes(
    connection: Connection,
    changes: Sequence[Change],
    known: Mapping[str, Article],
) -> None:
    """Store what merging decided: articles, texts they superseded, sources touched."""
    new = [change.article for change in changes if change.article.code not in known]
    old = [change.article for change in changes if change.article.code in known]
    if new:
        insert_rows(connection, schema.article, [_article_row(article) for article in new])
    if old:
        upsert_rows(connection, schema.article, [_article_row(article) for article in old], "code")
    superseded = [
        {
            "code": before.code,
            "number": before.revision,
            "seen_at": seconds(before.seen_at),
            "title": before.title,
            "media_type": before.media_type,
            "body_id": before.body_id,
        }
        for before in (known[change.article.code] for change in changes if change.kind == "revised")
    ]
    if superseded:
        insert_rows(connection, schema.revision, superseded)
    replaced = [change.article.code for change in changes if change.kind == "found better"]
    if replaced:
        table = schema.rendition
        connection.execute(delete(table).where(table.c.code.in_(replaced)))
    _note_changed(connection, changes, known)
    touched = sorted(set().union(*(change.touched for change in changes)))
    if touched:
        upsert_rows(connection, schema.touched, [{"source": source} for source in touched])


def _note_changed(
    connection: Connection, changes: Sequence[Change], known: Mapping[str, Article]
) -> None:
    """Note articles that changed since they arrived; a new one is known by its number.

    One comes again into feeds that had it before, or never had it, if it has new words,
    was away, or is another source's now.
    """
    kinds = {
        change.article.code: change.kind in ("new", "revised", "returned")
        or (change.kind == "restated" and len(change.touched) > 1)
        for change in changes
        if change.article.code in known and change.touched
    }
    again = [{"code": code, "again": True} for code, comes in kinds.items() if comes]
    if again:
        upsert_rows(connection, schema.changed, again)
    others = [{"code": code, "again": False} for code, comes in kinds.items() if not comes]
    if others:
        connection.execute(insert(schema.changed).on_conflict_do_nothing(), others)


def remember(connection: Connection, articles: Iterable[Article]) -> None:
    """Put articles into the ledger whose text is not known (any more)."""
    rows = [_article_row(article) for article in articles]
    if rows:
        insert_rows(connection, schema.article, rows)


def prune_bodies(connection: Connection) -> None:
    """Delete texts that neither a copy, an article nor a revision refers to."""
    used = union(
        select(schema.copy.c.body_id),
        select(schema.revision.c.body_id),
        select(schema.article.c.body_id).where(schema.article.c.body_id.is_not(None)),
    )
    connection.execute(delete(schema.body).where(schema.body.c.body_id.not_in(used)))


def save_bodies(connection: Connection, texts: Sequence[bytes]) -> range:
    """Insert packed texts; return their numbers."""
    if not texts:
        return range(0)
    table = schema.body
    last = connection.execute(
        select(table.c.body_id).order_by(table.c.body_id.desc()).limit(1)
    ).scalar_one_or_none()
    numbers = range((last or 0) + 1, (last or 0) + 1 + len(texts))
    insert_rows(
        connection,
        table,
        [{"body_id": number, "text": text} for number, text in zip(numbers, texts, strict=True)],
    )
    return numbers


def _copy_row(copy: CopyFacts) -> dict[str, Any]:
    return {
        "origin": copy.origin,
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
        "categories": _categories(copy.categories),
        "changed": maybe_seconds(copy.changed),
        "body_id": copy.body_id,
        "permalink": copy.permalink,
        "base": copy.base,
        "enclosures": _enclosures(copy.enclosures),
        "title_guess": copy.title_guess,
        "words": copy.words,
    }


def _categories(names: tuple[str, ...]) -> str:
    return json.dumps(names, ensure_ascii=False) if names else "[]"


def _enclosures(enclosures: tuple[Enclosure, ...]) -> str:
    if not enclosures:
        return "[]"
    values = [(item.url, item.media_type, item.length) for item in enclosures]
    return json.dumps(values, ensure_ascii=False)


def _article_row(article: Article) -> dict[str, Any]:
    return {
        "code": article.code,
        "source": article.source,
        "source_name": article.source_name,
        "first_seen": seconds(article.first_seen),
        "first_poll": article.first_poll,
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
        "categories": _categories(article.categories),
        "is_full": article.is_full,
        "removed": article.removed,
        "base": article.base,
        "enclosures": _enclosures(article.enclosures),
    }


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows.

    Past the statement's own compilation the rows go straight to the driver, which takes
    a third of the time: nothing in our column types needs converting.
    """
    names = list(rows[0])
    statement = str(table.insert().compile(connection, column_keys=names))
    connection.exec_driver_sql(statement, [tuple(row.values()) for row in rows])


def upsert_rows(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], key: str | None = None
) -> None:
    """Insert rows, or replace the values of those whose key is there already."""
    keys = [key] if key else [column.name for column in table.primary_key]
    names = list(rows[0])
    statement = insert(table)
    values = {name: statement.excluded[name] for name in names if name not in keys}
    statement = (
        statement.on_conflict_do_update(index_elements=keys, set_=values)
        if values
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    compiled = str(statement.compile(connection, column_keys=names))
    connection.exec_driver_sql(compiled, [tuple(row.values()) for row in rows])
