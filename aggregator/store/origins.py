"""Origins, the files that they have read, and the numbers of polls."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, delete, func, select, update

from aggregator.model.polls import Batch, FileState
from aggregator.store import schema
from aggregator.store.rows import Transaction, pieces, row_of, seconds, shown_instant, upsert_rows

_BATCH = 5000


def origin_rules(connection: Connection, name: str) -> bytes | None:
    """Return the rules that an origin was last read with in full, None if it never was."""
    found: bytes | None = connection.execute(
        select(schema.origin.c.rules).where(schema.origin.c.name == name)
    ).scalar_one_or_none()
    return found


def origins_rules(connection: Connection, names: Collection[str]) -> dict[str, bytes]:
    """Return the rules that origins were last read with, by name; see `origin_rules`."""
    table = schema.origin
    found: dict[str, bytes] = {}
    for piece in pieces(list(names)):
        query = select(table.c.name, table.c.rules).where(table.c.name.in_(piece))
        found |= {row.name: row.rules for row in connection.execute(query)}
    return found


def file_states(transaction: Transaction, origin: str) -> Iterator[FileState]:
    """Yield the files of an origin, ordered by path; each page is read in its own transaction."""
    table = schema.file
    after = ""
    while True:
        with transaction() as connection:
            rows = connection.execute(
                select(*(table.c[name] for name in FileState._fields))
                .where(table.c.origin == origin, table.c.path > after)
                .order_by(table.c.path)
                .limit(_BATCH)
            ).all()
        yield from map(FileState._make, rows)
        if len(rows) < _BATCH:
            return
        after = rows[-1][0]


def file_states_at(connection: Connection, origin: str, paths: Collection[str]) -> list[FileState]:
    """Return the files of an origin at these paths, ordered by path."""
    table = schema.file
    columns = [table.c[name] for name in FileState._fields]
    found: list[FileState] = []
    for piece in pieces(sorted(paths)):
        query = select(*columns).where(table.c.origin == origin, table.c.path.in_(piece))
        found += map(FileState._make, connection.execute(query.order_by(table.c.path)))
    return found


def has_files_to_read_again(connection: Connection) -> bool:
    """Return whether a file must be read again even if it does not change.

    It may have been torn when it was read, or it could not be read at all.
    """
    query = select(schema.file.c.path).where(schema.IS_READ_AGAIN)
    return connection.execute(query.limit(1)).first() is not None


def has_young_files(connection: Connection) -> bool:
    """Return whether a file was read so soon after it was written that it may have been torn."""
    query = select(schema.file.c.path).where(schema.IS_READ_AGAIN, schema.file.c.young)
    return connection.execute(query.limit(1)).first() is not None


def known_origins(connection: Connection) -> list[str]:
    """Return the names of all origins that were ever read in full."""
    return list(connection.execute(select(schema.origin.c.name)).scalars())


def polls(connection: Connection) -> dict[str, datetime.datetime | None]:
    """Return when each origin was last read in full, None for a time that is damaged."""
    rows = connection.execute(select(schema.origin))
    return {row.name: shown_instant(row.polled_at) for row in rows}


def save_origin(connection: Connection, name: str, rules: bytes, now: datetime.datetime) -> None:
    """Save that an origin was read in full with these rules."""
    upsert_rows(
        connection, schema.origin, [{"name": name, "rules": rules, "polled_at": seconds(now)}]
    )


def start_poll(connection: Connection) -> int:
    """Return this poll's number: that of the last poll if it was interrupted, else the next."""
    table = schema.poll
    last = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()
    if last is not None and not last.finished:
        return int(last.number)
    number = last.number + 1 if last is not None else 1
    connection.execute(table.insert().values(number=number, finished=False))
    return int(number)


def last_poll(connection: Connection) -> int:
    """Return the number of the last poll, 0 if there was none."""
    number = connection.execute(select(func.max(schema.poll.c.number))).scalar_one()
    return int(number or 0)


def finish_poll(connection: Connection, number: int) -> None:
    """Save that a poll is finished."""
    table = schema.poll
    connection.execute(update(table).where(table.c.number == number).values(finished=True))
    connection.execute(delete(table).where(table.c.number < number))


def rename_origin(connection: Connection, old: str, new: str) -> None:
    """Let an origin go on under another name, unless one of that name was read already."""
    known = known_origins(connection)
    if old not in known or new in known:
        return
    table = schema.origin
    connection.execute(update(table).where(table.c.name == old).values(name=new))
    for table in (schema.file, schema.copy, schema.problem):
        connection.execute(update(table).where(table.c.origin == old).values(origin=new))


def forget_origin(connection: Connection, name: str) -> None:
    """Delete the record of an origin."""
    table = schema.origin
    connection.execute(delete(table).where(table.c.name == name))


def save_states(connection: Connection, batch: Batch) -> None:
    """Save the states of a batch's files, and delete those of files that are gone."""
    table = schema.file
    if batch.gone:
        connection.execute(
            delete(table).where(table.c.origin == batch.origin, table.c.path.in_(batch.gone))
        )
    rows = [row_of(state, table, origin=batch.origin) for state in batch.states]
    upsert_rows(connection, table, rows)
