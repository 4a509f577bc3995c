"""The daemon's threads on the network where several machines share a store.

One does the jobs of this machine's roles, one polls the hosts that they name.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from functools import partial

from aggregator.config.schema import Settings
from aggregator.daemon.due import Due
from aggregator.daemon.failing_origins import FailingOrigins
from aggregator.daemon.health import Health
from aggregator.model.errors import LockedError, StoreError
from aggregator.pipeline.polling import PollOutcome
from aggregator.workers import membership
from aggregator.workers.cluster import Cluster
from aggregator.workers.jobs import BUILD, FIND_DUE, NOTIFY_HUBS

# The threads, which are those of `Health.run_loop`.
JOBS, UPSTREAM = "jobs", "upstream"


class SharedNetwork:
    """Does what is due on the network, with other machines; see `network.Network`."""

    # Seconds from a signal to the end of the process: jobs end within fewer.
    stop_within = 9.5

    def __init__(
        self,
        health: Health,
        due: Due,
        stopping: threading.Event,
        settings: Callable[[], Settings],
        roles: Collection[str],
    ) -> None:
        self._health, self._due, self._stopping = health, due, stopping
        self._settings = settings
        self._failing = FailingOrigins()
        self._cluster = Cluster(
            settings,
            roles,
            stopping,
            self._request_build,
            self._record_poll,
            partial(due.mark, "reload"),
            self._record_jobs,
            health.record,
        )
        self._threads: dict[str, threading.Thread] = {}
        self._builds: deque[concurrent.futures.Future[None]] = deque()

    def begin(self) -> None:
        """Join the other machines, as soon as the database can be reached.

        Raises `ConfigError` if this machine cannot work with them.
        """
        while not self._stopping.is_set():
            try:
                self._cluster.join()
            except (StoreError, LockedError) as error:
                pause = self._health.record("join", [str(error)])
                self._stopping.wait(min(pause, 5.0))
            else:
                self._health.record("join", [])
                return

    def start(self) -> None:
        """Start the threads that do not run yet."""
        turns: dict[str, Callable[[], None]] = {JOBS: self._cluster.serve}
        if UPSTREAM in self._cluster.roles:
            turns[UPSTREAM] = self._poll
        for name, turn in turns.items():
            if name not in self._threads:
                self._threads[name] = self._health.start_loop(name, turn, self._stopping)

    def beat(self) -> None:
        """Give a sign of life in a long step, before the threads run."""
        if not self._threads:
            self._cluster.beat()

    def cancel(self) -> None:
        """Send no further request, and wait for no build."""
        self._cluster.stop()
        self.built()

    def join(self) -> None:
        """Wait until polls and then jobs have ended, for some seconds at most."""
        until = time.monotonic() + self.stop_within - 1.0
        for name in (UPSTREAM, JOBS):
            if name in self._threads:
                self._threads[name].join(max(until - time.monotonic(), 0.0))

    def hub_kinds(self) -> frozenset[str]:
        """Return no kinds: notifications are jobs."""
        return frozenset()

    def posts_changed(self) -> None:
        """Have the feeds built, and the pages polled that posts name."""
        self._cluster.defer(BUILD)
        self._cluster.defer(FIND_DUE)

    def feeds_written(self) -> None:
        """Have hubs notified."""
        if self._settings().feeds.hubs:
            self._cluster.defer(NOTIFY_HUBS)

    def built(self) -> None:
        """End the jobs that waited for a build.  Any thread may call this."""
        with contextlib.suppress(IndexError):
            while True:
                build = self._builds.popleft()
                # A job that was cancelled waits no more.
                if build.set_running_or_notify_cancel():
                    build.set_result(None)

    def check(self, settings: Settings) -> None:
        """Raise `ConfigError` if new settings are not those of the other machines."""
        membership.check(settings, self._cluster.name)

    def reloaded(self) -> None:
        """Go on with new settings."""
        self._cluster.reloaded()

    def _record_poll(self, outcome: PollOutcome) -> None:
        self._health.record_poll(outcome)
        failing = self._failing.update(outcome.origins, self._settings().origin_names)
        self._health.record(UPSTREAM, failing)

    def _record_jobs(self, done: int, waiting: int, hosts: int) -> None:
        self._health.metrics.record_jobs(done, waiting, hosts)
        # The turn of the thread does not end, so it has to say that it goes well.
        self._health.record(f"{JOBS} thread", [])

    def _poll(self) -> None:
        self._cluster.poll(partial(self._health.heartbeat, UPSTREAM))

    def _request_build(self) -> concurrent.futures.Future[None]:
        build: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._builds.append(build)
        self._due.mark("build")
        if self._stopping.is_set():
            # Nobody builds any more.
            self.built()
        return build
