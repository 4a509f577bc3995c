"""Which articles a feed shows, and which feeds are due."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from aggregator.model.articles import Article
from aggregator.model.feeds import FeedSpec
from aggregator.store import schema
from aggregator.store.rows import article_from, maybe_instant


def window_of(
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
