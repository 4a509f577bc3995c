"""Which articles a feed shows, and which feeds are due."""

from __future__ import annotations

import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from aggregator.model.articles import NO_SOURCE, Article
from aggregator.model.feeds import FeedSpec
from aggregator.store import schema
from aggregator.store.rows import article_from, maybe_instant
from aggregator.store.stories import is_behind_another


def window_of(
    connection: Connection, spec: FeedSpec, now: datetime.datetime, limit: int | None = None
) -> list[Article]:
    """Return the newest published articles of a feed, newest first; scheduled ones wait."""
    table = schema.article
    due = select(table).where(schema.IS_SHOWN, table.c.published <= int(now.timestamp()))
    order = table if spec.kind in ("all", "source") else schema.selected
    query = in_feed(due, spec).order_by(order.c.published.desc(), order.c.code.desc())
    return [article_from(row) for row in connection.execute(query.limit(limit or spec.limit)).all()]


def in_feed(query: Any, spec: FeedSpec, *, is_small: bool = False) -> Any:
    """Return a `Select` of articles, limited to those of one feed.

    Feeds of several sources leave out articles that another one of theirs stands for.
    A query that selects few rows by itself (`is_small`) must not use an index of the feed.
    """
    table, selected = schema.article, schema.selected
    if spec.kind == "all":
        return query.where(~is_behind_another(None))
    if spec.source is not None:
        source = table.c.source.concat("") if is_small else table.c.source
        return query.where(source == spec.source)
    feed = selected.c.feed.concat("") if is_small else selected.c.feed
    return query.join(
        selected,
        (selected.c.code == table.c.code) & (selected.c.published == table.c.published),
    ).where(feed == spec.key, ~is_behind_another(spec.key))


def last_arrival(connection: Connection) -> int:
    """Return the number of the newest article by arrival, 0 if there is none."""
    return connection.execute(select(func.max(schema.article.c.article_id))).scalar_one() or 0


def sources(connection: Connection) -> list[str]:
    """Return all sources with an article to publish, in order; the site is none.

    Each is found by the one before it, in the index: their articles need not be looked at.
    """
    table = schema.article
    least = func.min(table.c.source).label("source")
    found = select(least).where(schema.IS_SHOWN, table.c.source > NO_SOURCE).cte(recursive=True)
    after = select(least).where(schema.IS_SHOWN, table.c.source > found.c.source)
    found = found.union_all(select(after.scalar_subquery()).where(found.c.source.is_not(None)))
    query = select(found.c.source).where(found.c.source.is_not(None))
    return list(connection.execute(query.order_by(found.c.source)).scalars())


def sources_due(
    connection: Connection, after: datetime.datetime, until: datetime.datetime
) -> set[str]:
    """Return the sources with an article that is scheduled between `after` and `until`."""
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
    """Return the codes of the articles that are scheduled between `after` and `until`."""
    table = schema.article
    query = select(table.c.code).where(
        table.c.published > int(after.timestamp()), table.c.published <= int(until.timestamp())
    )
    return list(connection.execute(query).scalars())


def next_due(connection: Connection, now: datetime.datetime) -> datetime.datetime | None:
    """Return when the next scheduled article is published, None if there is none."""
    table = schema.article
    return maybe_instant(
        connection.execute(
            select(func.min(table.c.published)).where(table.c.published > int(now.timestamp()))
        ).scalar_one_or_none()
    )
