"""Copies of articles, by origin and location."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Container, Iterable, Mapping, Sequence

from sqlalchemy import Connection, delete, select

from aggregator.model.articles import Copy, StoredCopy
from aggregator.store import schema
from aggregator.store.articles import save_bodies
from aggregator.store.rows import copy_from, insert_rows, pieces, row_of


def copies_of(connection: Connection, codes: Iterable[str]) -> list[StoredCopy]:
    """Return the copies of the given articles."""
    table = schema.copy
    rows = connection.execute(select(table).where(table.c.code.in_(list(codes)))).all()
    return [copy_from(row) for row in rows]


def copies_at(
    connection: Connection, origin: str, locations: Iterable[str]
) -> dict[str, StoredCopy]:
    """Return the copies of an origin at the given locations, by location."""
    table = schema.copy
    rows = connection.execute(
        select(table).where(table.c.origin == origin, table.c.location.in_(list(locations)))
    ).all()
    return {row.location: copy_from(row) for row in rows}


def origins_of(connection: Connection, codes: Collection[str]) -> dict[str, set[str]]:
    """Return the names of the origins that have copies of the given articles, by code."""
    table = schema.copy
    found: dict[str, set[str]] = {}
    for piece in pieces(sorted(codes)):
        query = select(table.c.code, table.c.origin).where(table.c.code.in_(piece))
        for code, origin in connection.execute(query):
            found.setdefault(code, set()).add(origin)
    return found


def copy_locations(connection: Connection, origin: str) -> list[str]:
    """Return the locations of an origin's copies."""
    table = schema.copy
    query = select(table.c.location).where(table.c.origin == origin)
    return list(connection.execute(query).scalars())


def forget_copies(connection: Connection, origin: str, locations: Sequence[str]) -> None:
    """Delete the copies at the given locations."""
    table = schema.copy
    connection.execute(
        delete(table).where(table.c.origin == origin, table.c.location.in_(locations))
    )


def save_copies(
    connection: Connection,
    copies: Sequence[Copy],
    before: Mapping[str, StoredCopy],
    now: datetime.datetime,
    unchanged: Container[str] = (),
) -> list[StoredCopy]:
    """Insert copies in the place of those `before`; return them as they are stored.

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
    saved: list[StoredCopy] = []
    for copy in copies:
        old = before.get(copy.location)
        same = old is not None and old.raw_hash == copy.raw_hash
        values = {
            **vars(copy),
            "body": b"",
            "body_id": old.body_id if old is not None and same else next(body_ids),
            "changed": now,
        }
        if old is None:
            values["changed"] = None
        elif same or copy.location in unchanged:
            values["changed"] = old.changed
        saved.append(StoredCopy(**values))
    if before:
        forget_copies(connection, copies[0].origin, [copy.location for copy in copies])
    insert_rows(connection, schema.copy, [row_of(copy, schema.copy) for copy in saved])
    return saved
