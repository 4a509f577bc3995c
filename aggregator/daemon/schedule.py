"""When the daemon's work is due, by jobs of APScheduler that only mark it."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from aggregator.daemon.health import Health

QUIET_HOUR = 4
MAX_JITTER = 30.0
CLOCK_JUMP = 5.0
# The jobs are dead if one has not run for so many of its intervals.
LATE_AFTER = 2.0


class _Scheduler(BackgroundScheduler):  # type: ignore[misc]  # it has no types
    """A scheduler whose thread is a loop of `Health`, as all others are."""

    def __init__(self, health: Health, **options: Any) -> None:
        super().__init__(**options)
        self._health = health
        self.ended = threading.Event()

    def _main_loop(self) -> None:
        self._health.run_loop("schedule", self._turn, self.ended)

    def _turn(self) -> None:
        try:
            super()._main_loop()
            self.ended.set()  # it returned because it was shut down
        except Exception:
            # The end removes all jobs, also one that is being looked up.
            if not self.ended.is_set():
                self.wakeup()
                raise


class Schedule:
    """Marks each kind of work as due at its interval.

    A late job runs all the same, and never twice at a time.  It only marks, so that it is not
    lost while the work that it marked before still goes on.
    """

    def __init__(
        self,
        kinds: Mapping[str, datetime.timedelta],
        timezone: str,
        mark: Callable[[str], None],
        health: Health,
    ) -> None:
        """Begin; `kinds` are the intervals of each kind, `timezone` that of the quiet hour."""
        self._kinds = kinds
        self._mark = mark
        self._offset = time.time() - time.monotonic()
        self._marked = dict.fromkeys(kinds, time.monotonic())
        self._scheduler = _Scheduler(
            health,
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=datetime.UTC,
            daemon=True,
        )
        self._add_jobs()
        self._scheduler.add_job(
            mark, CronTrigger(hour=QUIET_HOUR, jitter=600, timezone=timezone), ["maintenance"]
        )
        self._scheduler.start()

    def has_stopped(self) -> bool:
        """Return whether a kind of work has not been marked for too long: the jobs are dead."""
        now = time.monotonic()
        return any(
            now - self._marked[kind] > LATE_AFTER * every.total_seconds() + 2 * MAX_JITTER
            for kind, every in self._kinds.items()
        )

    def clock_has_jumped(self) -> bool:
        """Return whether the clock was set since the last call, and reschedule all jobs if so.

        The times of jobs are the clock's: an hour without jobs would follow if it is set back.
        """
        offset = time.time() - time.monotonic()
        jump = abs(offset - self._offset)
        self._offset = offset
        if jump < CLOCK_JUMP:
            return False
        self._add_jobs()
        return True

    def close(self) -> None:
        """Stop; a job that runs finishes by itself."""
        self._scheduler.ended.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _add_jobs(self) -> None:
        for kind, every in self._kinds.items():
            seconds = every.total_seconds()
            self._scheduler.add_job(
                self._mark_kind,
                IntervalTrigger(seconds=seconds, jitter=min(seconds / 10, MAX_JITTER)),
                [kind],
                id=kind,
                replace_existing=True,
            )

    def _mark_kind(self, kind: str) -> None:
        self._mark(kind)
        self._marked[kind] = time.monotonic()
