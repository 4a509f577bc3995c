"""Poll the posts folders and then the upstream, and notify WebSub hubs.

The store's lock is held only while something is written, so that a build at the same time
waits for no network; a lock of their own keeps two polls apart.
"""

from __future__ import annotations

import contextlib
import datetime
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError, masked
from aggregator.model.kinds import ORIGIN_KINDS
from aggregator.model.polls import RobotsFile
from aggregator.model.reports import Report
from aggregator.model.summaries import HubSummary, OriginSummary, PollSummary
from aggregator.origins import from_settings
from aggregator.origins.feed_list import kept_lists
from aggregator.origins.interface import UpstreamOrigin
from aggregator.origins.parsers.readers import Readers
from aggregator.pipeline import building, recovery
from aggregator.poll import upstream
from aggregator.poll.ingest import MergeRules
from aggregator.poll.origin_poll import Scope
from aggregator.publish import websub
from aggregator.store import hub_queue, robots
from aggregator.store.database import Store
from aggregator.store.lock import exclusive
from aggregator.store.origins import finish_poll, start_poll

if TYPE_CHECKING:
    from aggregator.fetch.fetcher import Fetcher

KINDS = (*ORIGIN_KINDS, "hubs")
WHO = "aggregator poll"


@dataclass(frozen=True, slots=True)
class PollOptions:
    """What to poll: of the given kinds of origins all or the due URLs, or only `urls`.

    A dry run reads the posts, stores nothing, and returns which URLs it would request.
    `wait` is for locks, in seconds.  After `seconds` nothing more is requested, and what is left
    stays due.
    """

    kinds: frozenset[str] = frozenset(KINDS)
    everything: bool = False
    urls: tuple[str, ...] = ()
    dry_run: bool = False
    wait: float = 60.0
    seconds: float = math.inf


@dataclass(slots=True)
class PollOutcome:
    """What a poll did.

    `notices` are no failures; `losses` could not be recovered from a damaged store.  With
    `has_new_lists` the subscriptions have changed: load the settings again, and poll these.
    """

    posts: PollSummary | None = None
    hubs: HubSummary | None = None
    origins: list[OriginSummary] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    has_new_lists: bool = False

    def add(self, other: PollOutcome) -> None:
        """Add what another poll of the upstream did; an origin without a request says nothing."""
        self.origins += [origin for origin in other.origins if origin.requested or origin.failures]
        self.notices += other.notices
        self.losses += other.losses

    @property
    def failures(self) -> list[str]:
        """Return what could not be done, in the order in which it was tried."""
        found = list(self.losses)
        found += self.posts.failures if self.posts is not None else []
        found += [failure for origin in self.origins for failure in origin.failures]
        return found + (self.hubs.failures if self.hubs is not None else [])


class Canceller:
    """Ends a poll from another thread: what was received is stored, nothing more requested."""

    def __init__(self) -> None:
        self._is_cancelled = threading.Event()
        self._fetcher: Fetcher | None = None

    def cancel(self) -> None:
        """End the poll, now or when it begins."""
        self._is_cancelled.set()
        if self._fetcher is not None:
            self._fetcher.cancel()

    def begin(self, fetcher: Fetcher) -> None:
        """Begin a poll with this fetcher."""
        self._fetcher = fetcher
        if self._is_cancelled.is_set():
            fetcher.cancel()


def poll(
    settings: Settings,
    options: PollOptions,
    report: Report,
    canceller: Canceller | None = None,
    clock: Callable[[], float] = time.time,
) -> PollOutcome:
    """Poll origins, and store what they returned; `build-feeds` builds the feeds.

    Raises `LockedError` if another run holds a lock for longer than `options.wait`, and
    `ConfigError` for a URL of no configured origin.
    """
    work = partial(_poll, settings, options, report, canceller or Canceller(), clock)
    if options.dry_run:
        return work([], [])
    return recovery.recovering(settings, work, partial(_lock, settings, options.wait))


def _poll(
    settings: Settings,
    options: PollOptions,
    report: Report,
    canceller: Canceller,
    clock: Callable[[], float],
    notices: list[str],
    losses: list[str],
) -> PollOutcome:
    outcome = PollOutcome(notices=notices, losses=losses)
    lock = partial(_lock, settings, options.wait)
    with (
        exclusive(paths.poll_lock(settings), options.wait, WHO),
        contextlib.ExitStack() as stack,
    ):
        with lock():
            store = stack.enter_context(recovery.open_store(settings, dry_run=options.dry_run))
            with store.transaction() as connection:
                number = start_poll(connection)
            if "posts" in options.kinds and not options.urls:
                outcome.posts = building.poll_posts(
                    store,
                    settings,
                    from_settings.posts_folders(settings),
                    number,
                    _now(clock),
                    progress=partial(report, "posts"),
                )
        readers = stack.enter_context(Readers())
        origins = from_settings.upstream_origins(settings, readers, options.kinds)
        if options.urls:
            origins = _origins_of(options.urls, origins)
        notifies = "hubs" in options.kinds and settings.feeds.hubs and not options.urls
        fetcher = None
        if (origins or notifies) and not options.dry_run:
            with store.transaction() as connection:
                known = robots.load(connection)
            fetcher = stack.enter_context(_fetcher(settings, canceller, known))
        lists = kept_lists(settings)
        transaction = partial(_transaction, lock, store)
        if notifies and fetcher is not None:
            outcome.hubs = websub.notify(transaction, fetcher, partial(_now, clock))
        if origins:
            outcome.origins = upstream.poll(
                transaction,
                fetcher,
                origins,
                MergeRules.of(settings),
                from_settings.source_keys(settings),
                number,
                partial(_now, clock),
                Scope(options.everything, frozenset(options.urls)),
                report,
                options.seconds,
            )
        outcome.has_new_lists = kept_lists(settings) != lists
        with transaction() as connection:
            if fetcher is not None:
                robots.save(connection, fetcher.robots_files.renewed(), _now(clock))
            finish_poll(connection, number)
    return outcome


def notify_hubs(
    settings: Settings,
    wait: float,
    canceller: Canceller,
    clock: Callable[[], float] = time.time,
) -> tuple[int, list[str], datetime.datetime | None]:
    """Notify WebSub hubs of the feeds that are due.

    Return how many notifications were sent, the failures of all hubs, and when the next
    notification is due.  A poll may run at the same time.
    """
    lock = partial(_lock, settings, wait)
    with contextlib.ExitStack() as stack:
        with lock():
            store = stack.enter_context(recovery.open_store(settings))
        transaction = partial(_transaction, lock, store)
        fetcher = stack.enter_context(_fetcher(settings, canceller))
        summary = websub.notify(transaction, fetcher, partial(_now, clock))
        with transaction() as connection:
            # A hub that failed before fails still, though it was not due now.
            failures = [
                f"hub {masked(hub)}: {error}"
                for hub, _, count, error in hub_queue.waiting(connection)
                if count
            ]
            return summary.notified, failures, hub_queue.next_due(connection)


def _lock(settings: Settings, wait: float) -> contextlib.AbstractContextManager[None]:
    return exclusive(paths.store_lock(settings), wait, WHO)


@contextlib.contextmanager
def _transaction(
    lock: Callable[[], contextlib.AbstractContextManager[None]], store: Store
) -> Iterator[Connection]:
    """Hold the store's lock for a transaction only."""
    with lock(), store.transaction() as connection:
        yield connection


@contextlib.contextmanager
def _fetcher(
    settings: Settings, canceller: Canceller, known: Sequence[RobotsFile] = ()
) -> Iterator[Fetcher]:
    """Open a fetcher that the canceller can stop."""
    from aggregator.fetch.fetcher import Fetcher

    with Fetcher(settings.fetch, settings.user_agent, known) as fetcher:
        canceller.begin(fetcher)
        yield fetcher


def _origins_of(urls: tuple[str, ...], origins: list[UpstreamOrigin]) -> list[UpstreamOrigin]:
    """Return the origins of URLs that the user names; raise `ConfigError` for one of none."""
    for url in urls:
        if not any(origin.accepts(url) for origin in origins):
            raise ConfigError(
                f"{url}: fits no `match:` of shares:, and is no list or subscription of the "
                "configuration"
            )
    return [origin for origin in origins if any(map(origin.accepts, urls))]


def _now(clock: Callable[[], float]) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(clock()), datetime.UTC)
