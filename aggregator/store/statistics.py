"""The numbers that `status`, `sources` and the index page show."""

from __future__ import annotations

import datetime

from sqlalchemy import Connection, exists, func, select

from aggregator.model.articles import NO_SOURCE
from aggregator.model.feeds import FeedSpec
from aggregator.store import schema
from aggregator.store.articles import count_articles
from aggregator.store.rows import instant
from aggregator.store.windows import in_feed

# PostgreSQL groups by a name, since it takes two equal expressions with parameters for two.
DAY = "day"


def counts(connection: Connection) -> dict[str, int]:
    """Return the totals of articles, copies, superseded texts, files and problems."""
    found = {"articles": count_articles(connection)}
    for name, table in (
        ("copies", schema.copy),
        ("superseded_texts", schema.revision),
        ("files", schema.file),
        ("problems", schema.problem),
    ):
        found[name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return found


def articles_by_source(connection: Connection) -> list[tuple[str, int, datetime.datetime]]:
    """Return each source with the number of its articles and the date of the newest."""
    table = schema.article
    rows = connection.execute(
        select(table.c.source, func.count(), func.max(table.c.published))
        .where(schema.IS_SHOWN, table.c.source != NO_SOURCE)
        .group_by(table.c.source)
        .order_by(table.c.source)
    )
    return [(source, count, instant(newest)) for source, count, newest in rows]


def excluded_articles(connection: Connection) -> dict[int, int]:
    """Return how many articles each content rule excludes."""
    table = schema.article
    rows = connection.execute(
        select(table.c.excluded_by, func.count())
        .where(table.c.excluded_by.is_not(None))
        .group_by(table.c.excluded_by)
    )
    return {number: count for number, count in rows}  # noqa: C416  # rows are no pairs to mypy


def daily_counts(
    connection: Connection, since: datetime.datetime, days: int
) -> dict[str, list[int]]:
    """Return how many articles each source published on each of `days` days from `since` on."""
    table = schema.article
    day = ((table.c.published - int(since.timestamp())) // 86_400).label(DAY)
    rows = connection.execute(
        select(table.c.source, day, func.count())
        .where(schema.IS_SHOWN, table.c.published >= int(since.timestamp()))
        .group_by(table.c.source, DAY)
    )
    found: dict[str, list[int]] = {}
    for source, number, count in rows:
        if number < days:
            found.setdefault(source, [0] * days)[number] = count
    return found


def drafts(connection: Connection, origin: str) -> int:
    """Return how many files of an origin were read without becoming a copy or a problem."""
    table = schema.file
    return connection.execute(
        select(func.count())
        .select_from(table)
        .where(
            table.c.origin == origin,
            *(
                ~exists().where(other.c.origin == origin, other.c.location == table.c.path)
                for other in (schema.copy, schema.problem)
            ),
        )
    ).scalar_one()


def activity(
    connection: Connection,
    spec: FeedSpec,
    since: datetime.datetime,
    until: datetime.datetime,
    offset: datetime.timedelta,
) -> tuple[int, list[tuple[int, int]]]:
    """Return how many articles a feed has by `until`, and how many on each day from `since`.

    Days are ordinals (`datetime.date.toordinal`) in a zone that is `offset` from UTC.
    """
    table = schema.article
    shown = (
        schema.IS_SHOWN,
        table.c.published <= int(until.timestamp()),
    )
    count = connection.execute(
        in_feed(select(func.count()).select_from(table).where(*shown), spec)
    ).scalar_one()
    day = ((table.c.published + int(offset.total_seconds())) // 86_400).label(DAY)
    rows = connection.execute(
        in_feed(
            select(day, func.count()).where(*shown, table.c.published >= int(since.timestamp())),
            spec,
        )
        .group_by(DAY)
        .order_by(DAY)
    )
    epoch = datetime.date(1970, 1, 1).toordinal()
    return count, [(epoch + number, found) for number, found in rows]
