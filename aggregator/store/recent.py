"""The articles that can still show that they are similar to others: those of the last days."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from aggregator.store import schema
from aggregator.store.rows import pieces

# An article's code, source, time of publication, and text.
Place = tuple[str, str, int, int]


def newest(connection: Connection, moment: int) -> int:
    """Return when the newest article was published that feeds show at a moment, 0 for none."""
    table = schema.article
    query = select(table.c.published).where(schema.IS_SHOWN, table.c.published <= moment)
    first = query.order_by(table.c.published.desc(), table.c.code.desc()).limit(1)
    return connection.execute(first).scalar_one_or_none() or 0


def arrived(connection: Connection, after: int, since: int, until: int) -> list[Place]:
    """Return the articles that arrived after number `after`, published within some time."""
    table = schema.article
    return _places(connection, table.c.article_id > after, table.c.published.between(since, until))


def due(connection: Connection, since: int, until: int) -> list[Place]:
    """Return the articles that were published within some time."""
    return _places(connection, schema.article.c.published.between(since, until))


def _places(connection: Connection, *which: object) -> list[Place]:
    table = schema.article
    columns = (table.c.code, table.c.source, table.c.published, table.c.body_id)
    query = select(*columns).where(schema.IS_SHOWN, table.c.body_id.is_not(None), *which)  # type: ignore[arg-type]
    rows = connection.execute(query.order_by(table.c.article_id))
    return [(code, source, published, body_id) for code, source, published, body_id in rows]


def numbers(connection: Connection, codes: Iterable[str], moment: int) -> dict[str, int]:
    """Return the numbers of those of the given articles that feeds show at a moment."""
    table = schema.article
    found: dict[str, int] = {}
    for piece in pieces(sorted(codes)):
        query = select(table.c.code, table.c.article_id).where(
            schema.IS_SHOWN, table.c.published <= moment, table.c.code.in_(piece)
        )
        found |= {code: number for code, number in connection.execute(query)}  # noqa: C416
    return found
