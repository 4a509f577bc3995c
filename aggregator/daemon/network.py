"""The daemon's two threads on the network: one polls the upstream, one notifies hubs.

A slow server keeps no post waiting so, and a dead hub no poll.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from aggregator import processes
from aggregator.config.schema import Settings
from aggregator.daemon.due import Due
from aggregator.daemon.health import Health
from aggregator.model.kinds import UPSTREAM_KINDS
from aggregator.model.logs import LOGGER
from aggregator.pipeline import polling

HUBS = frozenset(["hubs"])
LOCK_WAIT = 30.0
# How often a thread without work looks whether it is to end.
LONGEST_PAUSE = 10.0


class Network:
    """Does what is due on the network, until `stopping` is set."""

    def __init__(
        self,
        health: Health,
        due: Due,
        stopping: threading.Event,
        settings: Callable[[], Settings],
    ) -> None:
        """`settings` returns those of the moment: they may be read again."""
        self._health, self._due, self._stopping = health, due, stopping
        self._settings = settings
        self._poll: polling.Canceller | None = None
        self._notifying = polling.Canceller()
        self._threads: dict[str, threading.Thread] = {}

    def start(self) -> None:
        """Start the threads that do not run yet."""
        for name, turn in (("upstream", self._upstream_turn), ("hubs", self._hubs_turn)):
            if name not in self._threads:
                self._threads[name] = self._health.start_loop(name, turn, self._stopping)

    def cancel(self) -> None:
        """Have what is under way break off."""
        self._notifying.cancel()
        if self._poll is not None:
            self._poll.cancel()

    def join(self, seconds: float) -> None:
        """Wait until the poll ends, for some seconds at most."""
        if "upstream" in self._threads:
            self._threads["upstream"].join(seconds)

    def hubs(self) -> frozenset[str]:
        """What is due where hubs are to be notified; nothing without hubs."""
        return HUBS if self._settings().feeds.hubs else frozenset()

    def _upstream_turn(self) -> None:
        kinds = self._due.take(UPSTREAM_KINDS, LONGEST_PAUSE)
        if kinds and not self._stopping.is_set():
            # What a list names is read in the same poll.
            asked = frozenset(kinds | {"shares"})
            self._due.again(
                self._health.run_stage("upstream", partial(self._poll_upstream, asked)), kinds
            )

    def _poll_upstream(self, kinds: frozenset[str]) -> list[str]:
        self._poll = polling.Canceller()
        options = polling.PollOptions(kinds, wait=LOCK_WAIT)
        outcome = polling.poll(
            self._settings(), options, lambda *_: self._health.heartbeat("upstream"), self._poll
        )
        self._health.record_poll(outcome)
        processes.give_back_memory()
        if any(origin.changes for origin in outcome.origins):
            self._due.mark("build")
        return outcome.failures

    def _hubs_turn(self) -> None:
        if self._due.take(HUBS, LONGEST_PAUSE) and not self._stopping.is_set():
            self._due.again(self._health.run_stage("hubs", self._notify_hubs), HUBS)

    def _notify_hubs(self) -> list[str]:
        def clock() -> float:
            self._health.heartbeat("hubs")
            return time.time()

        told, failing, next_due = polling.notify_hubs(
            self._settings(), LOCK_WAIT, self._notifying, clock
        )
        if told:
            LOGGER.debug("hubs told of %d feeds", told)
        self._due.mark_at(next_due, "hubs")
        return failing
