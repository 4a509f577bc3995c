"""URLs that are polled: what is known of each, and which are due."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    case,
    func,
    select,
    tuple_,
    update,
)

from aggregator.model.articles import NO_SOURCE
from aggregator.model.errors import DamagedStoreError
from aggregator.model.polls import UrlState, Validators
from aggregator.store import schema
from aggregator.store.dialects import Instant, Text
from aggregator.store.rows import (
    UNREADABLE,
    instant,
    pieces,
    row_of,
    seconds,
    shown_instant,
    take_validators,
    upsert_rows,
    validators_columns,
    values_of,
)

# URLs that are polled.  Validators are saved together with the copies they vouch for.
url_table = Table(
    "url",
    schema.metadata,
    Column("origin", Text, primary_key=True),
    Column("url", Text, primary_key=True),
    Column("next_at", Instant, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("validators_url", Text),
    Column("content_hash", LargeBinary, nullable=False),
    Column("requested_at", Instant),
    Column("answered_at", Instant),
    Column("read_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
    Column("moved_to", Text),
    Column("moves", Integer, nullable=False),
    Column("is_gone", Boolean, nullable=False),
    Column("fetch_once", Boolean, nullable=False),
    Column("cadence", Text),
    Index("url_due", "origin", "next_at"),
    sqlite_with_rowid=False,
)


def states(connection: Connection, origin: str, urls: Collection[str]) -> dict[str, UrlState]:
    """Return the states of the given URLs of an origin, by URL; unknown ones are left out."""
    table = url_table
    found: dict[str, UrlState] = {}
    for piece in pieces(list(urls)):
        rows = connection.execute(
            select(table).where(table.c.origin == origin, table.c.url.in_(piece))
        )
        found |= {row.url: state_from(row) for row in rows}
    return found


def states_of(
    connection: Connection, places: Collection[tuple[str, str]]
) -> dict[tuple[str, str], UrlState]:
    """Return the states of URLs of several origins: (origin, URL); unknown ones are left out."""
    table = url_table
    found: dict[tuple[str, str], UrlState] = {}
    for piece in pieces(list(places)):
        query = select(table).where(tuple_(table.c.origin, table.c.url).in_(piece))
        found |= {(row.origin, row.url): state_from(row) for row in connection.execute(query)}
    return found


def schedules(connection: Connection, origins: Collection[str]) -> dict[tuple[str, str], UrlState]:
    """Return when the URLs of origins are due, and nothing else of their states."""
    table = url_table
    columns = (
        table.c.origin, table.c.url, table.c.next_at, table.c.requested_at, table.c.failures,
        table.c.moved_to, table.c.moves, table.c.is_gone,
    )  # fmt: skip
    found = {}
    for piece in pieces(list(origins)):
        for row in connection.execute(select(*columns).where(table.c.origin.in_(piece))):
            found[row.origin, row.url] = UrlState(
                row.url,
                shown_instant(row.next_at) or instant(0),
                requested_at=shown_instant(row.requested_at),
                failures=row.failures,
                moved_to=row.moved_to,
                moves=row.moves,
                is_gone=row.is_gone,
            )
    return found


def all_states(connection: Connection, origin: str | None = None) -> list[tuple[str, UrlState]]:
    """Return all URLs of an origin, or of all origins: (origin, state)."""
    table = url_table
    query = select(table).order_by(table.c.origin, table.c.url)
    if origin is not None:
        query = query.where(table.c.origin == origin)
    return [(row.origin, state_from(row)) for row in connection.execute(query)]


def of_pages(connection: Connection, urls: Collection[str]) -> list[tuple[str, UrlState]]:
    """Return the states of the given URLs in all origins: (origin, state)."""
    table = url_table
    rows = connection.execute(select(table).where(table.c.url.in_(list(urls))))
    return [(row.origin, state_from(row)) for row in rows]


def recent_share_urls(
    connection: Connection,
    since: datetime.datetime,
    except_of: str,
    codes: Collection[str] | None = None,
) -> dict[str, datetime.datetime]:
    """Return the share URLs that copies of recent articles name, with the dates of publication.

    Copies of the origin `except_of` do not count: share pages name themselves.  `codes` limits
    the articles.
    """
    article, copy = schema.article, schema.copy
    query = (
        select(copy.c.share_url, func.max(article.c.published))
        .join(copy, copy.c.code == article.c.code)
        .where(
            article.c.published >= seconds(since),
            schema.IS_SHOWN,
            copy.c.share_url.is_not(None),
            copy.c.origin != except_of,
        )
        .group_by(copy.c.share_url)
    )
    found: dict[str, datetime.datetime] = {}
    for piece in [None] if codes is None else pieces(list(codes)):
        limited = query if piece is None else query.where(article.c.code.in_(piece))
        for url, published in connection.execute(limited):
            found[url] = max(instant(published), found.get(url, instant(0)))
    return found


def due_once(connection: Connection, origin: str) -> list[str]:
    """Return the URLs to fetch at the next poll, whatever the age of their articles."""
    table = url_table
    return list(
        connection.execute(
            select(table.c.url)
            .where(table.c.origin == origin, table.c.fetch_once)
            .order_by(table.c.next_at, table.c.url)
        ).scalars()
    )


def save(connection: Connection, origin: str, found: Iterable[UrlState]) -> None:
    """Save the states of the given URLs."""
    rows = [
        row_of(
            state,
            url_table,
            origin=origin,
            **validators_columns(state.validators),
        )
        for state in found
    ]
    upsert_rows(connection, url_table, rows)


class UrlTotals(NamedTuple):
    """The state of an origin's URLs in sum; `error` is that of the one that fails longest."""

    urls: int
    answered_at: datetime.datetime | None
    next_at: datetime.datetime | None
    failing: int
    failures: int
    error: str | None


def totals(connection: Connection) -> dict[str, UrlTotals]:
    """Return the state of each origin's URLs in sum."""
    table = url_table
    rows = connection.execute(
        select(
            table.c.origin,
            func.count(),
            func.max(table.c.answered_at),
            func.min(case((~table.c.is_gone, table.c.next_at))),
            func.count(table.c.error),
            func.max(table.c.failures),
        ).group_by(table.c.origin)
    ).all()
    found = {}
    for origin, count, answered_at, next_at, failing, failures in rows:
        worst = connection.execute(
            select(table.c.url, table.c.error)
            .where(table.c.origin == origin, table.c.error.is_not(None))
            .order_by(table.c.failures.desc(), table.c.url)
            .limit(1)
        ).first()
        found[origin] = UrlTotals(
            count,
            shown_instant(answered_at),
            shown_instant(next_at),
            failing,
            failures,
            f"{worst.url}: {worst.error}" if worst else None,
        )
    return found


def fetch_soon(
    connection: Connection, origin: str, urls: Sequence[str], now: datetime.datetime
) -> None:
    """Have pages fetched at the next poll, if they are new."""
    known = states(connection, origin, urls)
    new = [url for url in dict.fromkeys(urls) if url not in known]
    save(connection, origin, [UrlState(url, now, fetch_once=True) for url in new])


def forget_validators(connection: Connection, origin: str) -> None:
    """Have all URLs of an origin fetched in full, since its rules have changed."""
    table = url_table
    connection.execute(
        update(table)
        .where(table.c.origin == origin)
        .values(**validators_columns(Validators()), content_hash=b"")
    )


def forget(connection: Connection, origin: str) -> None:
    """Delete the URLs of an origin."""
    connection.execute(url_table.delete().where(url_table.c.origin == origin))


def source_names(connection: Connection) -> dict[str, str]:
    """Return the key of each source by the name that its articles have for it."""
    table = schema.article
    rows = connection.execute(
        select(table.c.source_name, table.c.source)
        .where(table.c.source_name.is_not(None), table.c.revision > 0, table.c.source != NO_SOURCE)
        .group_by(table.c.source_name, table.c.source)
        .order_by(func.max(table.c.published), table.c.source_name, table.c.source)
    )
    return {row.source_name: row.source for row in rows}


def codes_by_link(connection: Connection, links: Collection[str]) -> dict[str, list[str]]:
    """Return the codes of the copies with the given links, by link, the oldest first."""
    table = schema.copy
    found: dict[str, list[str]] = {}
    for piece in pieces(list(links)):
        query = select(table.c.link, table.c.code).where(table.c.link.in_(piece))
        rows = connection.execute(query.order_by(table.c.copy_id))
        for link, code in rows:
            found.setdefault(link, []).append(code)
    return found


def state_from(row: Row[Any]) -> UrlState:
    """Return a row of the table of URLs as a value.

    Raises `DamagedStoreError` if it cannot be one.
    """
    try:
        values = values_of(row, url_table)
        del values["origin"]
        return UrlState(validators=take_validators(values), **values)
    except (*UNREADABLE, DamagedStoreError) as error:
        raise DamagedStoreError(f"the record of {row.url} cannot be read: {error}") from error
