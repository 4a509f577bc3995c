"""What `status` and `sources` count."""

from __future__ import annotations

import datetime

from sqlalchemy import Connection, Integer, cast, func, select

from aggregator.store import schema
from aggregator.store.reads import count_articles, instant


def counts(connection: Connection) -> dict[str, int]:
    """Totals for `status`: articles, copies, superseded texts, files, problems."""
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
    """Each source with the number of its articles and the time of the newest."""
    table = schema.article
    rows = connection.execute(
        select(table.c.source, func.count(), func.max(table.c.published))
        .where(table.c.revision > 0, ~table.c.removed)
        .group_by(table.c.source)
        .order_by(table.c.source)
    )
    return [(source, count, instant(newest)) for source, count, newest in rows]


def daily_counts(
    connection: Connection, since: datetime.datetime, days: int
) -> dict[str, list[int]]:
    """How many articles each source published on each of some days from `since` on."""
    table = schema.article
    day = (table.c.published - int(since.timestamp())) / 86_400
    rows = connection.execute(
        select(table.c.source, cast(day, Integer), func.count())
        .where(table.c.published >= int(since.timestamp()), table.c.revision > 0, ~table.c.removed)
        .group_by(table.c.source, cast(day, Integer))
    )
    found: dict[str, list[int]] = {}
    for source, number, count in rows:
        if number < days:
            found.setdefault(source, [0] * days)[number] = count
    return found
