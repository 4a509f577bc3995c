"""How the daemon does: what was done when, what is wrong, and whether it is stuck.

Written to a small file beside the store, for `aggregator status`; read by metrics.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aggregator.daemon.failures import failures_of
from aggregator.model.logs import LOGGER, Troubles
from aggregator.pipeline.building import Outcome
from aggregator.pipeline.polling import PollOutcome

STAGES = ("posts", "upstream", "hubs", "maintenance", "setup")
# A loop that gives no sign of life for so long is stuck; polling takes its time.
STUCK_AFTER = {"posts": 300.0, "upstream": 900.0, "hubs": 900.0, "maintenance": 3600.0}
# What fails is tried again after a pause that doubles, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
# Red after that many times the schedule without a poll, and not before this.
LATE_AFTER, NEVER_BEFORE = 5, 120.0


@dataclass(slots=True)
class _Stage:
    runs: int = 0
    failures: int = 0
    running_since: float | None = None
    beat: float = 0.0
    ended: float | None = None
    seconds: float = 0.0
    is_well: bool = False


@dataclass(slots=True)
class Numbers:
    """What metrics are made of."""

    articles: int = 0
    feeds: int = 0
    problems: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    written: int = 0
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)


class Health:
    """The daemon's memory of itself.  Safe to use from many threads."""

    def __init__(
        self, origins: Sequence[str], path: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin, with the names of the origins, and the file to write; `clock` never jumps."""
        self._clock = clock
        self._began = clock()
        self.numbers = Numbers()
        self.origins = tuple(origins)
        self.started = time.time()
        self._path = path
        self._lock = threading.RLock()
        self._stages = {name: _Stage() for name in STAGES}
        self._troubles = Troubles()
        self._in_a_row = Counter[str]()
        self._config_error: str | None = None
        self._written = ""

    def step(self, name: str, work: Callable[[], list[str]]) -> float:
        """Do a piece of work that gives its failures; whatever it raises is one more.

        Return after how many seconds it is to be done again: 0 if nothing failed.
        """
        stage = self._stages[name]
        stage.running_since = stage.beat = self._clock()
        failures: list[str] = []
        try:
            failures = failures_of(name, work)
        finally:
            ended = self._clock()
            stage.seconds += ended - stage.running_since
            stage.running_since = None
        with self._lock:
            stage.runs += 1
            stage.ended = stage.beat = ended
            stage.is_well = not failures
            stage.failures += bool(failures)
        pause = self.note(name, failures)
        self.save()
        return pause

    def keep(self, name: str, turn: Callable[[], object], stopping: threading.Event) -> None:
        """Take turns until `stopping`: all that a thread of the daemon does.

        Whatever a turn raises ends no thread: it is a failure, and the next turn comes
        after a pause.
        """

        def work() -> list[str]:
            turn()
            return []

        while not stopping.is_set():
            pause = self.note(f"{name} thread", failures_of(name, work))
            if pause:
                stopping.wait(pause)

    def note(self, about: str, failures: list[str]) -> float:
        """Note what fails now, and what is over by that; return the pause, 0 if all is well.

        A failure is logged when it starts and when it ends.
        """
        with self._lock:
            if not failures and about not in self._in_a_row:
                return 0.0
            self._troubles.update(about, failures)
            self._in_a_row[about] += 1
            row = self._in_a_row[about]
            if not failures:
                del self._in_a_row[about]
        self.save()
        return min(FIRST_PAUSE * 2.0 ** min(row - 1, 30), LONGEST_PAUSE) if failures else 0.0

    def current(self, found: dict[str, Any]) -> None:
        """Note that nothing had changed."""
        with self._lock:
            self.numbers.articles = found["articles"]
            self.numbers.feeds = found["feeds"]
            self.numbers.problems = found["problems"]

    def built(self, outcome: Outcome) -> None:
        """Note what a build did, in a line if it did anything."""
        with self._lock:
            self.numbers.articles = outcome.articles
            self.numbers.feeds = outcome.build.feeds
            self.numbers.problems = outcome.problems
            self.numbers.written += outcome.build.written
            for kind in ("new", "revised", "restated", "removed"):
                self.numbers.changes[kind] += getattr(outcome.poll, kind)
        for notice in outcome.notices:
            LOGGER.warning("%s", notice)
        counts = {
            "read": outcome.poll.read,
            "new": outcome.poll.new,
            "revised": outcome.poll.revised,
            "restated": outcome.poll.restated,
            "removed": outcome.poll.removed,
            "feeds written": outcome.build.written,
        }
        said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        if said:
            LOGGER.info("posts: %s", said)

    def polled(self, outcome: PollOutcome) -> None:
        """Note what a poll of the upstream did, in a line for each origin that changed."""
        with self._lock:
            for origin in outcome.origins:
                for kind in ("read", "not_modified", "failed"):
                    self.numbers.asked[origin.name, kind] += getattr(origin, kind)
                for kind in ("new", "revised", "restated", "removed"):
                    self.numbers.changes[kind] += getattr(origin, kind)
        for notice in outcome.notices:
            LOGGER.warning("%s", notice)
        for origin in outcome.origins:
            if origin.changes:
                LOGGER.info(
                    "%s: %d asked, %d new, %d revised, %d failed",
                    origin.name, origin.asked, origin.new, origin.revised, origin.failed,
                )  # fmt: skip

    def config_error(self, message: str | None) -> None:
        """Note that config.yaml cannot be used, or can again."""
        with self._lock:
            self._config_error = message
        self.save()

    def beat(self, name: str) -> None:
        """Note a sign of life of a loop."""
        self._stages[name].beat = self._clock()

    def is_well(self, name: str) -> bool:
        """Whether the last run of a stage had no failure."""
        return self._stages[name].is_well

    def stuck(self) -> str | None:
        """The loop that is at work and gives no sign of life, None if there is none."""
        now = self._clock()
        for name, limit in STUCK_AFTER.items():
            stage = self._stages[name]
            if stage.running_since is not None and now - stage.beat > limit:
                return name
        return None

    def trouble(self, every: datetime.timedelta) -> list[str]:
        """Why the service is not healthy, nothing if it is.

        `every` is how often posts are to be polled.
        """
        with self._lock:
            found = self._troubles.messages()
            ended = self._stages["posts"].ended
        limit = max(LATE_AFTER * every.total_seconds(), NEVER_BEFORE)
        age = self._clock() - (ended if ended is not None else self._began)
        if age > limit:
            found.append(f"posts: not polled for {age:.0f} s")
        stuck = self.stuck()
        if stuck is not None:
            found.append(f"{stuck}: stuck")
        return found

    def stages(self) -> dict[str, tuple[int, int, float, float | None]]:
        """Runs, failures, seconds of work and seconds since the last run of each stage."""
        now = self._clock()
        with self._lock:
            return {
                name: (
                    stage.runs,
                    stage.failures,
                    stage.seconds,
                    now - stage.ended if stage.ended is not None else None,
                )
                for name, stage in self._stages.items()
            }

    def open_troubles(self) -> list[str]:
        """Everything that is wrong now."""
        with self._lock:
            found = self._troubles.messages()
            if self._config_error is not None:
                found.append(f"not reloaded: {self._config_error}")
        stuck = self.stuck()
        if stuck is not None:
            found.append(f"{stuck}: stuck")
        return found

    def status(self) -> str:
        """A line for systemd."""
        numbers, troubles = self.numbers, self.open_troubles()
        line = f"{numbers.articles:,} articles, {numbers.feeds:,} feeds"
        if numbers.problems:
            line += f", {numbers.problems:,} problems"
        return line + (f"; {len(troubles)} troubles: {troubles[0]}" if troubles else "")

    def close(self) -> None:
        """Forget it all: the daemon has ended."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def save(self) -> None:
        """Write what `aggregator status` shows, if that has changed."""
        with self._lock:
            text = json.dumps(
                {
                    "pid": os.getpid(),
                    "started": int(self.started),
                    "troubles": self.open_troubles(),
                    "config_error": self._config_error,
                },
                ensure_ascii=False,
            )
            if text == self._written:
                return
            temporary = self._path.with_name(self._path.name + ".tmp")
            with contextlib.suppress(OSError):  # the disk may be what is wrong
                temporary.write_text(text, encoding="utf-8")
                temporary.replace(self._path)
                self._written = text
