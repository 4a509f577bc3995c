"""When the daemon's work is due: APScheduler's jobs, which only say so."""

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
# A job that comes so much later than it should is not going to come.
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
            self.ended.set()  # it returns when it was shut down
        except Exception:
            # A job that is looked up while all are removed is missed by nobody.
            if not self.ended.is_set():
                self.wakeup()
                raise


class Schedule:
    """Marks each kind of work as due, time and again.

    Jobs run late rather than never, and never twice at once: they do nothing but set a
    mark, so that a job that is due while its work is still going on is not lost.
    """

    def __init__(
        self,
        kinds: Mapping[str, datetime.timedelta],
        timezone: str,
        mark: Callable[[str], None],
        health: Health,
    ) -> None:
        """Begin, with how often each kind is due."""
        self._kinds = kinds
        self._mark = mark
        self._offset = time.time() - time.monotonic()
        self._said = dict.fromkeys(kinds, time.monotonic())
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
        """Whether a kind of work was not marked for so long that the jobs must be dead."""
        now = time.monotonic()
        return any(
            now - self._said[kind] > LATE_AFTER * every.total_seconds() + 2 * MAX_JITTER
            for kind, every in self._kinds.items()
        )

    def clock_has_jumped(self) -> bool:
        """Whether the clock was set since this was asked last; the jobs are set anew then.

        Times of jobs are the clock's: set back an hour, it would leave an hour without.
        """
        offset = time.time() - time.monotonic()
        jump = abs(offset - self._offset)
        self._offset = offset
        if jump < CLOCK_JUMP:
            return False
        self._add_jobs()
        return True

    def close(self) -> None:
        """Stop; what is running finishes by itself."""
        self._scheduler.ended.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _add_jobs(self) -> None:
        for kind, every in self._kinds.items():
            seconds = every.total_seconds()
            self._scheduler.add_job(
                self._say,
                IntervalTrigger(seconds=seconds, jitter=min(seconds / 10, MAX_JITTER)),
                [kind],
                id=kind,
                replace_existing=True,
            )

    def _say(self, kind: str) -> None:
        self._mark(kind)
        self._said[kind] = time.monotonic()
