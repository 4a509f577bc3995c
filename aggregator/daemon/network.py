"""The daemon's two threads on the network: one polls the upstream, one notifies hubs.

So a slow server doesn't delay notifications, nor a dead hub polls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from aggregator import processes
from aggregator.config.schema import Settings
from aggregator.daemon.due import Due
from aggregator.daemon.failing_origins import FailingOrigins
from aggregator.daemon.health import Health
from aggregator.model.kinds import UPSTREAM_KINDS
from aggregator.model.logs import LOGGER
from aggregator.model.terminal import counted
from aggregator.pipeline import polling

HUB_KINDS = frozenset(["hubs"])
LOCK_WAIT = 30.0
# Seconds after which a thread without work checks whether it is to end.
LONGEST_PAUSE = 10.0
# A poll of the upstream ends after so many seconds, so that what has become due meanwhile is
# not kept waiting by a host with thousands of pages; the next one goes on.
LONGEST_POLL = 60.0


class Network:
    """Does what is due on the network, until `stopping` is set."""

    # Seconds from a signal to the end of the process.
    stop_within = 3.5

    def __init__(
        self,
        health: Health,
        due: Due,
        stopping: threading.Event,
        settings: Callable[[], Settings],
    ) -> None:
        """`settings` returns the current ones: they change with a reload."""
        self._health, self._due, self._stopping = health, due, stopping
        self._settings = settings
        self._poll_canceller = polling.Canceller()
        self._hubs_canceller = polling.Canceller()
        self._threads: dict[str, threading.Thread] = {}
        self._failing = FailingOrigins()
        self._poll_failed = False

    def begin(self) -> None:
        """Do nothing: this machine is the only one."""

    def beat(self) -> None:
        """Do nothing: nobody waits for a sign of life."""

    def start(self) -> None:
        """Start the threads that do not run yet."""
        for name, turn in (("upstream", self._upstream_turn), ("hubs", self._hubs_turn)):
            if name not in self._threads:
                self._threads[name] = self._health.start_loop(name, turn, self._stopping)

    def cancel(self) -> None:
        """Cancel the requests that are under way."""
        self._hubs_canceller.cancel()
        self._poll_canceller.cancel()

    def join(self) -> None:
        """Wait until the poll ends, for some seconds at most."""
        if "upstream" in self._threads:
            self._threads["upstream"].join(self.stop_within / 2)

    def hub_kinds(self) -> frozenset[str]:
        """Return the kinds of work to mark when hubs are to be notified: none without hubs."""
        return HUB_KINDS if self._settings().feeds.hubs else frozenset()

    def posts_changed(self) -> None:
        """Do nothing: the feeds are built in the same step."""

    def feeds_written(self) -> None:
        """Have hubs notified."""
        self._due.mark(*self.hub_kinds())

    def built(self) -> None:
        """Do nothing: nobody waits for a build."""

    def check(self, settings: Settings) -> None:
        """Do nothing: new settings need nobody's consent."""

    def reloaded(self) -> None:
        """Do nothing: each poll takes the current settings."""

    def _upstream_turn(self) -> None:
        kinds = self._due.take(UPSTREAM_KINDS, LONGEST_PAUSE)
        if kinds and not self._stopping.is_set():
            work = partial(self._poll_upstream, kinds)
            pause = self._health.run_stage("upstream", work)
            # A URL that failed is requested when it is due again; all else, after the pause.
            if self._poll_failed:
                self._due.mark_retry(pause, kinds)

    def _poll_upstream(self, kinds: set[str]) -> list[str]:
        self._poll_failed = True
        self._poll_canceller = polling.Canceller()
        # Share pages that a list names are read in the same poll.
        options = polling.PollOptions(
            frozenset(kinds | {"shares"}), wait=LOCK_WAIT, seconds=LONGEST_POLL
        )
        outcome = polling.poll(
            self._settings(),
            options,
            lambda *_: self._health.heartbeat("upstream"),
            self._poll_canceller,
        )
        self._health.record_poll(outcome)
        processes.give_back_memory()
        if any(origin.changes for origin in outcome.origins):
            self._due.mark("build")
        if outcome.has_new_lists:
            self._due.mark("reload")
        if any(origin.left for origin in outcome.origins):
            self._due.mark(*kinds)
        failing = self._failing.update(outcome.origins, self._settings().origin_names)
        others = [failure for failure in outcome.failures if failure not in failing]
        self._poll_failed = bool(others)
        return [*others, *failing]

    def _hubs_turn(self) -> None:
        if self._due.take(HUB_KINDS, LONGEST_PAUSE) and not self._stopping.is_set():
            self._due.mark_retry(self._health.run_stage("hubs", self._notify_hubs), HUB_KINDS)

    def _notify_hubs(self) -> list[str]:
        def clock() -> float:
            self._health.heartbeat("hubs")
            return time.time()

        count, failures, next_due = polling.notify_hubs(
            self._settings(), LOCK_WAIT, self._hubs_canceller, clock
        )
        if count:
            LOGGER.debug("hubs: %s", counted(count, "notification"))
        self._due.mark_at(next_due, "hubs")
        return failures
