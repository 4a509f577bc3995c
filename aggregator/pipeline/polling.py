"""One poll of everything: posts folders, then the upstream.

The store's lock is held only while something is written, so that a build beside a slow
poll waits for no network; a lock of its own keeps two polls apart.
"""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError, masked
from aggregator.model.kinds import ORIGIN_KINDS
from aggregator.model.summaries import HubSummary, OriginSummary, PollSummary
from aggregator.origins import from_settings
from aggregator.origins.interface import UpstreamOrigin
from aggregator.origins.parsers.readers import Readers
from aggregator.pipeline import building, recovery
from aggregator.poll import upstream
from aggregator.poll.ingest import MergeRules
from aggregator.publish import websub
from aggregator.store import hub_queue
from aggregator.store.lock import exclusive
from aggregator.store.origins import finish_poll, start_poll

if TYPE_CHECKING:
    from aggregator.fetch.fetcher import Fetcher

KINDS = (*ORIGIN_KINDS, "hubs")
WHO = "aggregator poll"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class PollOptions:
    """What to poll: some kinds of origins, all URLs or those due, or only some URLs.

    A dry run reads the posts, stores nothing, and says which URLs it would ask.  `wait`
    is for locks, in seconds.
    """

    kinds: frozenset[str] = frozenset(KINDS)
    everything: bool = False
    urls: tuple[str, ...] = ()
    dry_run: bool = False
    wait: float = 60.0


@dataclass(slots=True)
class PollOutcome:
    """What a poll did.

    `notices` are remarks for the user that are no failure, and `losses` what could not be
    saved of a store that was damaged.
    """

    posts: PollSummary | None = None
    hubs: HubSummary | None = None
    origins: list[OriginSummary] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """What could not be done, in the order in which it was tried."""
        found = list(self.losses)
        found += self.posts.failures if self.posts is not None else []
        found += [failure for origin in self.origins for failure in origin.failures]
        return found + (self.hubs.failures if self.hubs is not None else [])


class Canceller:
    """Ends a poll from another thread: what has come is stored, the rest is not asked."""

    def __init__(self) -> None:
        self._is_cancelled = threading.Event()
        self.fetcher: Fetcher | None = None

    def cancel(self) -> None:
        """End the poll that this was given to."""
        self._is_cancelled.set()
        if self.fetcher is not None:
            self.fetcher.cancel()

    def begin(self, fetcher: Fetcher) -> None:
        """Take the poll's fetcher."""
        self.fetcher = fetcher
        if self._is_cancelled.is_set():
            fetcher.cancel()


def poll(
    settings: Settings,
    options: PollOptions,
    progress: Progress,
    canceller: Canceller | None = None,
    clock: Callable[[], float] = time.time,
) -> PollOutcome:
    """Poll origins, and store what they gave; feeds are built by `build-feeds`.

    Raises `LockedError` if another poll or build holds on for longer than
    `options.wait`, `ConfigError` for a URL that no origin is made for.
    """
    outcome = PollOutcome()

    def work() -> PollOutcome:
        again = PollOutcome(notices=outcome.notices, losses=outcome.losses)
        return _poll(settings, options, again, progress, canceller, clock)

    if options.dry_run:
        return work()
    return recovery.recovering(
        settings,
        outcome.notices,
        outcome.losses,
        work,
        partial(_writing, settings, options.wait),
    )


def _poll(
    settings: Settings,
    options: PollOptions,
    outcome: PollOutcome,
    progress: Progress,
    canceller: Canceller | None,
    clock: Callable[[], float],
) -> PollOutcome:
    path = settings.store_path
    with (
        exclusive(path.with_name(path.name + ".poll.lock"), options.wait, WHO),
        contextlib.ExitStack() as parts,
    ):
        with _writing(settings, options.wait):
            store = parts.enter_context(recovery.open_store(settings, dry_run=options.dry_run))
            with store.transaction() as connection:
                number = start_poll(connection)
            if "posts" in options.kinds and not options.urls:
                outcome.posts = building.poll_posts(
                    store,
                    settings,
                    from_settings.posts_folders(settings),
                    number,
                    _instant(clock),
                    progress=lambda done, total: progress("posts", done, total),
                )
        readers = parts.enter_context(Readers())
        origins = from_settings.upstream_origins(settings, readers, options.kinds)
        if options.urls:
            _check_urls(options.urls, origins)
        tells_hubs = "hubs" in options.kinds and settings.feeds.hubs and not options.urls
        fetcher = None
        if (origins or tells_hubs) and not options.dry_run:
            from aggregator.fetch.fetcher import Fetcher

            fetcher = parts.enter_context(Fetcher(settings.fetch, settings.user_agent))
            if canceller is not None:
                canceller.begin(fetcher)

        @contextlib.contextmanager
        def transaction() -> Iterator[Connection]:
            with _writing(settings, options.wait), store.transaction() as connection:
                yield connection

        if tells_hubs and fetcher is not None:
            outcome.hubs = websub.tell(transaction, fetcher, lambda: _instant(clock))
        if origins:
            outcome.origins = upstream.poll(
                transaction,
                fetcher,
                origins,
                MergeRules.of(settings),
                from_settings.source_keys(settings),
                number,
                lambda: _instant(clock),
                upstream.Ask(options.everything, frozenset(options.urls)),
                progress,
            )
        with _writing(settings, options.wait), store.transaction() as connection:
            finish_poll(connection, number)
    return outcome


def tell_hubs(
    settings: Settings,
    wait: float,
    canceller: Canceller,
    clock: Callable[[], float] = time.time,
) -> tuple[int, list[str], datetime.datetime | None]:
    """Tell WebSub hubs what is due: of how many feeds, which hubs fail, when the next is due.

    Nothing else waits for this: a poll may run at the same time.
    """
    from aggregator.fetch.fetcher import Fetcher

    with contextlib.ExitStack() as parts:
        with _writing(settings, wait):
            store = parts.enter_context(recovery.open_store(settings))

        @contextlib.contextmanager
        def transaction() -> Iterator[Connection]:
            with _writing(settings, wait), store.transaction() as connection:
                yield connection

        fetcher = parts.enter_context(Fetcher(settings.fetch, settings.user_agent))
        canceller.begin(fetcher)
        summary = websub.tell(transaction, fetcher, lambda: _instant(clock))
        with transaction() as connection:
            # One that is not to be told again before long fails all the same.
            failing = [
                f"hub {masked(hub)}: {trouble}"
                for hub, _, failures, trouble in hub_queue.waiting(connection)
                if failures
            ]
            return summary.told, failing, hub_queue.next_due(connection)


def _writing(settings: Settings, wait: float) -> contextlib.AbstractContextManager[None]:
    return exclusive(paths.lock_path(settings), wait, WHO)


def _check_urls(urls: tuple[str, ...], origins: list[UpstreamOrigin]) -> None:
    """Refuse URLs that no origin would ask."""
    for url in urls:
        if not any(origin.accepts(url) for origin in origins):
            raise ConfigError(
                f"{url}: fits no `match:` of shares:, and is no list or subscription of the "
                "configuration"
            )


def _instant(clock: Callable[[], float]) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(clock()), datetime.UTC)
