"""Daemon health: last runs, current failures, stuck stages.

For its log, `aggregator status`, metrics and systemd.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aggregator.daemon.failures import OpenFailures, failures_of
from aggregator.daemon.metrics import Metrics
from aggregator.model.atomic import replace_file
from aggregator.model.logs import LOGGER
from aggregator.model.terminal import counted
from aggregator.pipeline.building import BuildOutcome
from aggregator.pipeline.polling import PollOutcome

STAGES = ("posts", "upstream", "hubs", "maintenance", "setup")
# Seconds without a heartbeat after which a running stage is stuck; polling takes its time.
STUCK_AFTER = {"posts": 300.0, "upstream": 900.0, "hubs": 900.0, "maintenance": 3600.0}
# Seconds until what failed is tried again; they double with each failure in a row.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# Unhealthy if posts are not polled for so many intervals of their schedule, and so many seconds.
LATE_AFTER, NEVER_BEFORE = 5, 120.0


@dataclass(slots=True)
class _Stage:
    running_since: float | None = None
    heartbeat: float = 0.0
    ended: float | None = None
    has_succeeded: bool = False


class Health:
    """Runs the daemon's stages and loops, and records what they did.  Safe for many threads."""

    def __init__(
        self,
        state_path: Path,
        posts_interval: datetime.timedelta,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin; the state is written to `state_path`, and `clock` never jumps."""
        self._state_path = state_path
        self._late_after = max(LATE_AFTER * posts_interval.total_seconds(), NEVER_BEFORE)
        self._clock = clock
        self._began, self._started = clock(), int(time.time())
        self._lock = threading.RLock()
        self._stages = {name: _Stage() for name in STAGES}
        self._open_failures = OpenFailures()
        self._failures_in_a_row = Counter[str]()
        self._config_error: str | None = None
        self._totals = "0 articles, 0 feeds"
        self._saved_state = ""
        self.metrics = Metrics(STAGES)
        self.metrics.open_failures.set_function(lambda: len(self.open_failures()))
        self.metrics.healthy.set_function(lambda: not self.reasons_unhealthy())

    def run_stage(self, name: str, work: Callable[[], list[str]]) -> float:
        """Run a stage, whose failures are those that `work` returns or raises.

        Return the seconds until it is to be tried again: 0 if nothing failed.
        """
        stage = self._stages[name]
        began = stage.running_since = stage.heartbeat = self._clock()
        try:
            failures = failures_of(name, work)
        finally:
            stage.running_since, ended = None, self._clock()
            self.metrics.work_seconds.labels(name).inc(ended - began)
        stage.ended, stage.has_succeeded = ended, not failures
        self.metrics.count_run(name, has_failed=bool(failures))
        self.metrics.last_run_age.labels(name).set_function(lambda: self._clock() - ended)
        pause = self.record(name, failures)
        self.save_state()
        return pause

    def start_loop(
        self, name: str, turn: Callable[[], object], stopping: threading.Event
    ) -> threading.Thread:
        """Start a thread that does `run_loop`."""
        arguments = (name, turn, stopping)
        thread = threading.Thread(target=self.run_loop, args=arguments, name=name, daemon=True)
        thread.start()
        return thread

    def run_loop(self, name: str, turn: Callable[[], object], stopping: threading.Event) -> None:
        """Call `turn` until `stopping` is set.

        What a turn raises is recorded as a failure, and the next turn comes after a pause.
        """

        def work() -> list[str]:
            turn()
            return []

        while not stopping.is_set():
            pause = self.record(f"{name} thread", failures_of(name, work))
            if pause:
                stopping.wait(pause)

    def record(self, name: str, failures: list[str]) -> float:
        """Make `failures` the open ones of a stage or loop, and log what begins and ends.

        Return the seconds until it is to be tried again: 0 if nothing failed.
        """
        with self._lock:
            if not failures and not self._failures_in_a_row[name]:
                return 0.0
            self._open_failures.replace(name, failures)
            in_a_row = self._failures_in_a_row[name] + 1 if failures else 0
            self._failures_in_a_row[name] = in_a_row
        self.save_state()
        return min(FIRST_PAUSE * 2.0 ** min(in_a_row - 1, 30), LONGEST_PAUSE) if failures else 0.0

    def record_totals(self, articles: int, feeds: int, problems: int) -> None:
        """Record what the store and the feeds folder have now."""
        self.metrics.articles.set(articles)
        self.metrics.feeds.set(feeds)
        self.metrics.problems.set(problems)
        self._totals = f"{counted(articles, 'article')}, {counted(feeds, 'feed')}"
        if problems:
            self._totals += f", {counted(problems, 'problem')}"

    def record_build(self, outcome: BuildOutcome) -> None:
        """Record a build, and log what it changed in one line."""
        poll, feeds_written = outcome.poll, outcome.build.written
        self.record_totals(outcome.articles, outcome.build.feeds, outcome.problems)
        self.metrics.feeds_written.inc(feeds_written)
        self.metrics.count_changes(poll)
        for notice in outcome.notices:
            LOGGER.warning("%s", notice)
        counts = {"read": poll.read, **poll.by_kind()}
        changes = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]
        if feeds_written:
            changes.append(f"{counted(feeds_written, 'feed')} written")
        if changes:
            LOGGER.info("posts: %s", ", ".join(changes))

    def record_poll(self, outcome: PollOutcome) -> None:
        """Record a poll of the upstream, and log each origin that changed in one line."""
        for notice in outcome.notices:
            LOGGER.warning("%s", notice)
        for origin in outcome.origins:
            self.metrics.count_requests(origin)
            self.metrics.count_changes(origin)
            if origin.changes:
                LOGGER.info(
                    "%s: %s, %d new, %d revised, %d failed",
                    origin.name, counted(origin.requested, "request"),
                    origin.new, origin.revised, origin.failed,
                )  # fmt: skip

    def record_config_error(self, message: str | None) -> None:
        """Record why config.yaml cannot be used; None if it can."""
        with self._lock:
            self._config_error = message
        self.save_state()

    def heartbeat(self, name: str) -> None:
        """Record that a running stage makes progress."""
        self._stages[name].heartbeat = self._clock()

    def has_succeeded(self, name: str) -> bool:
        """Return whether the last run of a stage had no failure."""
        return self._stages[name].has_succeeded

    def stuck_stage(self) -> str | None:
        """Return the stage that runs without a heartbeat for too long, None if there is none."""
        now = self._clock()
        for name, limit in STUCK_AFTER.items():
            stage = self._stages[name]
            if stage.running_since is not None and now - stage.heartbeat > limit:
                return name
        return None

    def open_failures(self) -> list[str]:
        """Return all current failures."""
        found = self._failures_of_stages()
        if self._config_error is not None:
            found.append(f"not reloaded: {self._config_error}")
        return found

    def reasons_unhealthy(self) -> list[str]:
        """Return why the service is unhealthy; a failed reload alone doesn't count."""
        found = self._failures_of_stages()
        last_poll = self._stages["posts"].ended
        age = self._clock() - (self._began if last_poll is None else last_poll)
        if age > self._late_after:
            found.append(f"posts: not polled for {age:.0f} s")
        return found

    def _failures_of_stages(self) -> list[str]:
        with self._lock:
            found = self._open_failures.messages()
        stuck = self.stuck_stage()
        return found if stuck is None else [*found, f"{stuck}: stuck"]

    def status(self) -> str:
        """Return a line for systemd."""
        failures = self.open_failures()
        if not failures:
            return self._totals
        return f"{self._totals}; {counted(len(failures), 'failure')}: {failures[0]}"

    def save_state(self) -> None:
        """Write what `aggregator status` shows, if that has changed."""
        with self._lock:
            state = json.dumps(
                {
                    "pid": os.getpid(),
                    "started": self._started,
                    "failures": self.open_failures(),
                    "config_error": self._config_error,
                },
                ensure_ascii=False,
            )
            if state == self._saved_state:
                return
            with contextlib.suppress(OSError):  # the full disk may be the failure
                replace_file(self._state_path, state.encode())
                self._saved_state = state

    def close(self) -> None:
        """Delete the state: the daemon has ended."""
        with contextlib.suppress(OSError):
            self._state_path.unlink(missing_ok=True)
