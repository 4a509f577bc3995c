"""Copies of articles, by origin and location."""

from __future__ import annotations

import datetime
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from aggregator.model.articles import Copy, CopyFacts
from aggregator.store import schema
from aggregator.store.articles import save_bodies
from aggregator.store.rows import (
    categories_text,
    copy_from,
    enclosures_text,
    insert_rows,
    maybe_seconds,
    seconds,
)


def copies_of(connection: Connection, codes: Iterable[str]) -> dict[str, list[CopyFacts]]:
    """The copies of some articles, without their texts."""
    table = schema.copy
    found: dict[str, list[CopyFacts]] = {}
    for row in connection.execute(select(table).where(table.c.code.in_(list(codes)))).all():
        found.setdefault(row.code, []).append(copy_from(row))
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


def copy_locations(connection: Connection, origin: str) -> list[str]:
    """Where an origin has copies."""
    table = schema.copy
    query = select(table.c.location).where(table.c.origin == origin)
    return list(connection.execute(query).scalars())


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
            )
        )
    if before:
        forget_copies(connection, copies[0].origin, [copy.location for copy in copies])
    insert_rows(connection, schema.copy, [_copy_row(fact) for fact in facts])
    return facts


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
        "categories": categories_text(copy.categories),
        "changed": maybe_seconds(copy.changed),
        "body_id": copy.body_id,
        "permalink": copy.permalink,
        "base": copy.base,
        "enclosures": enclosures_text(copy.enclosures),
        "title_guess": copy.title_guess,
    }
