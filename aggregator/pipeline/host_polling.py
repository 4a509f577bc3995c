"""Poll the upstream as one of several machines: find what is due, and poll hosts."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Connection

from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.kinds import UPSTREAM_KINDS
from aggregator.origins import from_settings
from aggregator.origins.parsers.readers import Readers
from aggregator.pipeline import recovery
from aggregator.poll import batches
from aggregator.poll.due_hosts import Place, due_hosts
from aggregator.poll.host_polls import HostPolls, Saved
from aggregator.poll.ingest import MergeRules
from aggregator.store.database import Store
from aggregator.store.lock import exclusive
from aggregator.store.origins import finish_poll, last_poll, start_poll

WHO = "aggregator run"
LOCK_WAIT = 60.0


def hosts_with_work(settings: Settings) -> tuple[dict[str, list[Place]], list[str]]:
    """Return the URLs that are due, with their origins, by host, and the failures of origins."""
    now = _now()
    with Readers() as readers:
        origins = from_settings.upstream_origins(settings, readers, UPSTREAM_KINDS.keys())
        with _locked(settings), recovery.open_store(settings) as store:
            with store.transaction() as connection:
                due = due_hosts(connection, origins, now)
                number = last_poll(connection)
            for batch in due.batches:
                batches.store(store.transaction, batch, MergeRules.of(settings), number, now)
    return due.hosts, due.failures


def prepare(settings: Settings) -> None:
    """Make what jobs need in the store's database, and begin the poll that all take part in."""
    from aggregator.store import job_schema

    with (
        _locked(settings),
        recovery.open_store(settings) as store,
        store.transaction() as connection,
    ):
        job_schema.update(connection)
        start_poll(connection)


def receive_lists(settings: Settings) -> None:
    """Raise `FeedListsChangedError` if another machine has received a newer list of feeds."""
    with _locked(settings), recovery.open_store(settings):
        pass


def begin_poll(settings: Settings) -> None:
    """Begin a new poll that all machines take part in.

    What is found in one poll is one version of an article, whichever origin it is found in first.
    """
    with (
        _locked(settings),
        recovery.open_store(settings) as store,
        store.transaction() as connection,
    ):
        finish_poll(connection, start_poll(connection))
        start_poll(connection)


@contextlib.contextmanager
def host_polls(
    settings: Settings, saved: Callable[[Saved], None], may_send: Callable[[], bool]
) -> Iterator[HostPolls]:
    """Yield polls of hosts, whose `run` does the work; see `HostPolls`."""
    from aggregator.fetch.fetcher import Fetcher

    with contextlib.ExitStack() as stack:
        with _locked(settings):
            store = stack.enter_context(recovery.open_store(settings))
        fetcher = stack.enter_context(Fetcher(settings.fetch, settings.user_agent))
        readers = stack.enter_context(Readers())
        yield HostPolls(
            partial(_transaction, settings, store),
            store.reading,
            fetcher,
            from_settings.upstream_origins(settings, readers, UPSTREAM_KINDS.keys()),
            MergeRules.of(settings),
            from_settings.source_keys(settings),
            _now,
            saved,
            may_send,
        )


def _locked(settings: Settings) -> contextlib.AbstractContextManager[None]:
    return exclusive(paths.store_lock(settings), LOCK_WAIT, WHO)


@contextlib.contextmanager
def _transaction(settings: Settings, store: Store) -> Iterator[Connection]:
    """Hold the store's lock for a transaction only."""
    with _locked(settings), store.transaction() as connection:
        yield connection


def _now() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(time.time()), datetime.UTC)
