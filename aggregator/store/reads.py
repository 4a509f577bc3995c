"""Every question that is asked of the store.  Rows in, values out."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select

from aggregator.model import (
    Article,
    CopyFacts,
    FeedSpec,
    FileState,
    Revision,
)
from aggregator.model.packing import unpack
from aggregator.store import schema
from aggregator.store.rows import article_from, copy_from, instant, maybe_instant, pieces

Transaction = Callable[[], AbstractContextManager[Connection]]

_PAGE = 5000


def origin_rules(connection: Connection, name: str) -> bytes | None:
    """The rules that an origin was last read with in full."""
    found: bytes | None = connection.execute(
        select(schema.origin.c.rules).where(schema.origin.c.name == name)
    ).scalar_one_or_none()
    return found


def file_states(transaction: Transaction, origin: str) -> Iterator[FileState]:
    """The files of an origin in the order of their paths, a page in each transaction."""
    table = schema.file
    after = ""
    while True:
        with transaction() as connection:
            rows = connection.execute(
                select(
                    table.c.path,
                    table.c.size,
                    table.c.mtime_ns,
                    table.c.ctime_ns,
                    table.c.inode,
                    table.c.content_hash,
                    table.c.young,
                )
                .where(table.c.origin == origin, table.c.path > after)
                .order_by(table.c.path)
                .limit(_PAGE)
            ).all()
        yield from map(FileState._make, rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def copies_of(connection: Connection, codes: Iterable[str]) -> dict[str, list[CopyFacts]]:
    """The copies of some articles, without their texts."""
    table = schema.copy
    found: dict[str, list[CopyFacts]] = {}
    for row in connection.execute(select(table).where(table.c.code.in_(list(codes)))).all():
        found.setdefault(row.code, []).append(copy_from(row))
    return found


def articles_of(connection: Connection, codes: Iterable[str]) -> dict[str, Article]:
    """Some articles by their codes."""
    table = schema.article
    found: dict[str, Article] = {}
    for piece in pieces(list(codes)):
        rows = connection.execute(select(table).where(table.c.code.in_(piece))).all()
        found |= {row.code: article_from(row) for row in rows}
    return found


def copies_at(
    connection: Connection, origin: str, locations: Iterable[str]
) -> dict[str, CopyFacts]:
    """The copies that an origin has at some locations."""
    table = schema.copy
    rows = connection.execute(
        select(table).where(table.c.origin == origin, table.c.location.in_(list(locations)))
    ).all()
    return {row.location: copy_from(row) for row in rows}


def bodies(connection: Connection, body_ids: Iterable[int]) -> dict[int, bytes]:
    """Packed texts by their numbers."""
    table = schema.body
    rows = connection.execute(
        select(table.c.body_id, table.c.text).where(table.c.body_id.in_(list(body_ids)))
    ).all()
    return {row[0]: row[1] for row in rows}


def has_files_to_look_at(connection: Connection) -> bool:
    """Whether a file must be looked at again even if it does not change.

    It may have been torn when it was read, or it could not be read at all.
    """
    table = schema.file
    return (
        connection.execute(
            select(table.c.path).where(table.c.young | (table.c.content_hash == b"")).limit(1)
        ).first()
        is not None
    )


def has_young_files(connection: Connection) -> bool:
    """Whether a file was read so soon after it was written that it may have been torn."""
    table = schema.file
    return (
        connection.execute(select(table.c.path).where(table.c.young).limit(1)).first() is not None
    )


def has_remembered(connection: Connection) -> bool:
    """Whether an article is known from a published feed only."""
    table = schema.article
    query = select(table.c.code).where(table.c.revision == 0).limit(1)
    return connection.execute(query).first() is not None


def count_articles(connection: Connection) -> int:
    """How many articles can be published."""
    table = schema.article
    return connection.execute(
        select(func.count()).select_from(table).where(table.c.revision > 0, ~table.c.removed)
    ).scalar_one()


def window(
    connection: Connection, spec: FeedSpec, now: datetime.datetime, limit: int | None = None
) -> list[Article]:
    """The newest articles of a feed that are due: newest first."""
    table = schema.article
    due = select(table).where(
        table.c.published <= int(now.timestamp()), table.c.revision > 0, ~table.c.removed
    )
    order = table if spec.kind in ("all", "source") else schema.selected
    query = in_feed(due, spec).order_by(order.c.published.desc(), order.c.code.desc())
    return [article_from(row) for row in connection.execute(query.limit(limit or spec.limit)).all()]


def in_feed(query: Any, spec: FeedSpec, *, is_small: bool = False) -> Any:
    """A query of articles, for those of one feed.

    It is a `Select` of any columns.  One that is small by itself must not be answered from
    an index of all of the feed's.
    """
    table, selected = schema.article, schema.selected
    if spec.kind == "all":
        return query
    if spec.source is not None:
        source = table.c.source.concat("") if is_small else table.c.source
        return query.where(source == spec.source)
    feed = selected.c.feed.concat("") if is_small else selected.c.feed
    return query.join(
        selected,
        (selected.c.code == table.c.code) & (selected.c.published == table.c.published),
    ).where(feed == spec.key)


def last_arrival(connection: Connection) -> int:
    """The number of the article that arrived last, 0 if there is none."""
    return connection.execute(select(func.max(schema.article.c.article_id))).scalar_one() or 0


def sources(connection: Connection) -> list[str]:
    """Every source that the ledger has an article of, in order."""
    table = schema.article
    return list(
        connection.execute(
            select(table.c.source).where(table.c.revision > 0).distinct().order_by(table.c.source)
        ).scalars()
    )


def sources_due(
    connection: Connection, after: datetime.datetime, until: datetime.datetime
) -> set[str]:
    """Sources with an article that was held back at `after` and is due at `until`."""
    table = schema.article
    return set(
        connection.execute(
            select(table.c.source)
            .where(
                table.c.published > int(after.timestamp()),
                table.c.published <= int(until.timestamp()),
            )
            .distinct()
        ).scalars()
    )


def codes_due(
    connection: Connection, after: datetime.datetime, until: datetime.datetime
) -> list[str]:
    """Articles that were held back at `after` and are due at `until`."""
    table = schema.article
    query = select(table.c.code).where(
        table.c.published > int(after.timestamp()), table.c.published <= int(until.timestamp())
    )
    return list(connection.execute(query).scalars())


def next_due(connection: Connection, now: datetime.datetime) -> datetime.datetime | None:
    """When the next article that is held back will be due."""
    table = schema.article
    return maybe_instant(
        connection.execute(
            select(func.min(table.c.published)).where(table.c.published > int(now.timestamp()))
        ).scalar_one_or_none()
    )


def revisions_of(connection: Connection, article: Article) -> list[Revision]:
    """Every kept text of an article, the first one first."""
    table, text = schema.revision, schema.body
    rows = connection.execute(
        select(table, text.c.text)
        .join(text, text.c.body_id == table.c.body_id)
        .where(table.c.code == article.code)
        .order_by(table.c.number)
    )
    found = [
        Revision(
            row.code, row.number, instant(row.seen_at), row.title, unpack(row.text), row.media_type
        )
        for row in rows
    ]
    if article.body_id is not None:
        newest = unpack(bodies(connection, [article.body_id])[article.body_id])
        found.append(
            Revision(
                article.code,
                article.revision,
                article.seen_at,
                article.title,
                newest,
                article.media_type,
            )
        )
    return found


def superseded(
    connection: Connection, articles: Collection[Article]
) -> dict[tuple[str, int], Article]:
    """Earlier revisions of some articles, as the articles were then: by code and number.

    Links and categories are those of today; title, text and date are the revision's.
    """
    table = schema.revision
    newest = {article.code: article for article in articles}
    found: dict[tuple[str, int], Article] = {}
    for piece in pieces(list(newest)):
        for row in connection.execute(select(table).where(table.c.code.in_(piece))):
            found[row.code, row.number] = replace(
                newest[row.code],
                revision=row.number,
                updated=instant(row.seen_at) if row.number > 1 else None,
                title=row.title,
                body_id=row.body_id,
                media_type=row.media_type,
            )
    return found


def source_name(connection: Connection, source: str, now: datetime.datetime) -> str | None:
    """The name of a source by its newest article that is due and has one."""
    table = schema.article
    name: str | None = connection.execute(
        select(table.c.source_name)
        .where(
            table.c.source == source,
            table.c.published <= int(now.timestamp()),
            table.c.revision > 0,
            ~table.c.removed,
            table.c.source_name.is_not(None),
        )
        .order_by(table.c.published.desc(), table.c.code.desc())
        .limit(1)
    ).scalar_one_or_none()
    return name


def origins(connection: Connection) -> list[str]:
    """Every origin that was ever read in full."""
    return list(connection.execute(select(schema.origin.c.name)).scalars())


def copy_locations(connection: Connection, origin: str) -> list[str]:
    """Where an origin has copies."""
    table = schema.copy
    query = select(table.c.location).where(table.c.origin == origin)
    return list(connection.execute(query).scalars())


def polls(connection: Connection) -> dict[str, datetime.datetime]:
    """When each origin was last read in full."""
    return {row.name: instant(row.polled_at) for row in connection.execute(select(schema.origin))}
