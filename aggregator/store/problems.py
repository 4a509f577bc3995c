"""Open problems: what could not be used, until it is fixed."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, func, select

from aggregator.model.articles import Problem
from aggregator.model.polls import Batch
from aggregator.store import schema
from aggregator.store.rows import insert_rows, pieces, row_of, shown_instant

# The origin of what the store itself has lost.
STORE = "store"


def open_problems(
    connection: Connection,
) -> list[tuple[str, Problem, datetime.datetime | None]]:
    """Return all open problems with their origins, and since when they are known if that is."""
    table = schema.problem
    rows = connection.execute(
        select(table).order_by(
            table.c.origin, table.c.location, table.c.line.nulls_first(), table.c.problem_id
        )
    )
    return [
        (row.origin, Problem(row.location, row.reason, row.line), shown_instant(row.seen_at))
        for row in rows
    ]


def locations(connection: Connection, origin: str) -> list[str]:
    """Return the locations where an origin has open problems."""
    table = schema.problem
    query = select(table.c.location).where(table.c.origin == origin).distinct()
    return list(connection.execute(query).scalars())


def locations_of(connection: Connection, origins: Collection[str]) -> dict[str, list[str]]:
    """Return the locations where origins have open problems, by origin."""
    table = schema.problem
    found: dict[str, list[str]] = {}
    for piece in pieces(list(origins)):
        query = select(table.c.origin, table.c.location).where(table.c.origin.in_(piece))
        for origin, location in connection.execute(query.distinct()):
            found.setdefault(origin, []).append(location)
    return found


def count(connection: Connection) -> int:
    """Return how many problems are open."""
    return connection.execute(select(func.count()).select_from(schema.problem)).scalar_one()


def replace(connection: Connection, batch: Batch, now: datetime.datetime) -> None:
    """Replace older problems by a batch's; one that stays keeps its date."""
    table = schema.problem
    since: dict[tuple[str, str], datetime.datetime] = {}
    locations = (*batch.read, *batch.gone, *batch.withdrawn)
    if locations:
        old = (table.c.origin == batch.origin) & table.c.location.in_(locations)
        query = select(table.c.location, table.c.reason, table.c.seen_at).where(old)
        since = {
            (row.location, row.reason): shown_instant(row.seen_at) or now
            for row in connection.execute(query)
        }
        if since:
            connection.execute(delete(table).where(old))
    rows = [
        row_of(
            problem,
            table,
            origin=batch.origin,
            seen_at=since.get((problem.location, problem.reason), now),
        )
        for problem in batch.problems
    ]
    insert_rows(connection, table, rows)


def note_losses(connection: Connection, losses: Iterable[Problem], now: datetime.datetime) -> None:
    """Save what could not be read in the store itself, by the articles' codes."""
    found = list(losses)
    forget_losses(connection, [problem.location for problem in found])
    rows = [row_of(problem, schema.problem, origin=STORE, seen_at=now) for problem in found]
    insert_rows(connection, schema.problem, rows)


def losses(connection: Connection) -> list[str]:
    """Return the codes of articles with something lost in the store."""
    return locations(connection, STORE)


def forget_losses(connection: Connection, codes: Iterable[str]) -> None:
    """Delete the losses of articles that have been read again."""
    table = schema.problem
    for piece in pieces(sorted(set(codes).intersection(losses(connection)))):
        connection.execute(
            delete(table).where(table.c.origin == STORE, table.c.location.in_(piece))
        )
