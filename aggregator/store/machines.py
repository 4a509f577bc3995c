"""The machines that work on one store, and what their configurations must agree in."""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    Table,
    delete,
    extract,
    func,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError

from aggregator.store import schema
from aggregator.store.dialects import Instant, Text, insert
from aggregator.store.postgresql import PostgresDatabase
from aggregator.store.psycopg_driver import prefix_of
from aggregator.store.rows import instant

machine = Table(
    "machine",
    schema.metadata,
    Column("name", Text, primary_key=True),
    Column("roles", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("joined_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("done", Integer, nullable=False),
    Column("hosts", Text, nullable=False),
)
# A digest for each section of config.yaml that all machines must agree in.
agreement = Table(
    "agreement",
    schema.metadata,
    Column("section", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
)

# Seconds without a sign of life after which a machine's work is given to the others.
SILENT_AFTER = 25
_NOW = func.floor(extract("epoch", func.clock_timestamp()))
_UP = func.floor(extract("epoch", func.clock_timestamp() - func.pg_postmaster_start_time()))
_CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND starts_with(application_name, :prefix)
"""
_WAITING = """
SELECT queue_name, count(*) FROM procrastinate_jobs jobs
WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()) AND NOT EXISTS (
    SELECT FROM procrastinate_jobs other WHERE other.lock = jobs.lock AND other.status = 'doing'
) GROUP BY queue_name
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine: one process of `aggregator run`.

    `place` is where it publishes, `done` the number of jobs that it has done, `hosts` those that
    only it may send requests to now, and `silent` how many seconds ago it was last seen.
    """

    name: str
    roles: tuple[str, ...]
    place: str
    version: str
    joined_at: datetime.datetime
    seen_at: datetime.datetime
    silent: int
    done: int
    hosts: tuple[str, ...]

    @property
    def is_alive(self) -> bool:
        """Whether it was seen lately."""
        return self.silent <= SILENT_AFTER


class Machines:
    """The machines of a store, over a connection of its own that takes no part in its locks.

    All times are the server's.  Every method raises `StoreError` if the server does not respond.
    """

    def __init__(self, url: str) -> None:
        self._database = PostgresDatabase(url, dry_run=False)
        self._engine = self._database.engine().execution_options(isolation_level="AUTOCOMMIT")

    def join(self, name: str, roles: Collection[str], place: str, version: str) -> None:
        """Say that a machine works here, or does so again."""
        values = {
            "roles": " ".join(roles), "place": place, "version": version, "joined_at": _NOW,
            "seen_at": _NOW, "done": 0, "hosts": "[]",
        }  # fmt: skip
        with self._connection() as connection:
            statement = insert(connection.dialect, machine).values(name=name, **values)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["name"], set_=values)
            )

    def beat(self, name: str, done: int = 0, hosts: Collection[str] = ()) -> bool:
        """Say that a machine is alive; return False if it was given up meanwhile.

        It has done so many jobs, and only it may send requests to these hosts now.
        """
        statement = (
            update(machine)
            .where(machine.c.name == name)
            .values(seen_at=_NOW, done=done, hosts=json.dumps(sorted(hosts)))
        )
        with self._connection() as connection:
            return connection.execute(statement).rowcount == 1

    def leave(self, name: str) -> None:
        """Say that a machine has stopped."""
        with self._connection() as connection:
            connection.execute(delete(machine).where(machine.c.name == name))

    def exist(self) -> bool:
        """Return whether the store has been made, and can have machines."""
        with self._connection() as connection:
            return inspect(connection).has_table(machine.name)

    def all(self) -> list[Machine]:
        """Return all machines, by name."""
        with self._connection() as connection:
            return machines(connection)

    def waiting(self) -> dict[str, int]:
        """Return how many jobs could be done now in each queue."""
        with self._connection() as connection:
            return waiting_jobs(connection)

    def give_up_silent(self, own: str) -> list[str]:
        """Cut all connections of machines but one's own that are silent; return their names.

        What they have locked is free then, and what they do later fails.
        """
        with self._connection() as connection:
            others = [found for found in machines(connection) if found.name != own]
            silent = [found.name for found in others if not found.is_alive]
            for name in silent:
                connection.execute(text(_CUT), {"prefix": prefix_of(name)})
                connection.execute(delete(machine).where(machine.c.name == name))
            return silent

    def agree(self, digests: Mapping[str, bytes], others: bool) -> list[str]:
        """Return the sections of the configuration in which this machine disagrees.

        Without `others` its own become those that all must agree in.
        """
        with self._connection() as connection:
            # A digest is never empty: see `job_schema`.
            ours = agreement.c.digest != b""
            rows = connection.execute(select(agreement).where(ours))
            known = {row.section: row.digest for row in rows}
            if known and others:
                return sorted(
                    section
                    for section in known.keys() | digests.keys()
                    if known.get(section) != digests.get(section)
                )
            if known != digests:
                connection.execute(delete(agreement).where(ours))
                connection.execute(
                    agreement.insert(),
                    [{"section": name, "digest": value} for name, value in digests.items()],
                )
            return []

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            self._engine.dispose()
            meaning = self._database.error_of(error.orig)
            if meaning is None:
                raise
            raise meaning from error


def machines(connection: Connection) -> list[Machine]:
    """Return all machines that work on a store, by name.  A store in a file has none."""
    if connection.dialect.name == "sqlite":
        return []
    # After a restart of the server, machines need some time to be heard again.
    now, up = connection.execute(select(_NOW, _UP)).one()
    return [
        Machine(
            row.name,
            tuple(row.roles.split()),
            row.place,
            row.version,
            instant(row.joined_at),
            instant(row.seen_at),
            min(int(now) - row.seen_at, int(up)),
            row.done,
            tuple(json.loads(row.hosts)),
        )
        for row in connection.execute(select(machine).order_by(machine.c.name))
    ]


def waiting_jobs(connection: Connection) -> dict[str, int]:
    """Return how many jobs could be done now in each queue."""
    if connection.dialect.name == "sqlite" or not _has_jobs(connection):
        return {}
    return {row[0]: row[1] for row in connection.execute(text(_WAITING))}


def _has_jobs(connection: Connection) -> bool:
    query = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
    return bool(connection.execute(query).scalar_one())
