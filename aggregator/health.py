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

from aggregator.errors import AggregatorError
from aggregator.logs import LOGGER, Troubles
from aggregator.polling import PollOutcome
from aggregator.runs import Outcome

STAGES = ("posts", "upstream", "maintenance")
# A loop that gives no sign of life for so long is stuck; polling takes its time.
STUCK_AFTER = {"posts": 300.0, "upstream": 900.0}
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

    def __init__(self, origins: Sequence[str], path: Path) -> None:
        self.numbers = Numbers()
        self.origins = tuple(origins)
        self.started = time.time()
        self._path = path
        self._lock = threading.RLock()
        self._stages = {name: _Stage() for name in STAGES}
        self._troubles = Troubles()
        self._config_error: str | None = None
        self._written = ""

    def step(self, name: str, work: Callable[[], list[str]]) -> None:
        """Do a piece of work that gives its failures; whatever it raises is one more.

        A failure is logged when it starts and when it ends, and the work runs again.
        """
        stage = self._stages[name]
        stage.running_since = stage.beat = time.monotonic()
        try:
            failures = work()
        except AggregatorError as error:
            failures = [str(error)]
        except Exception as error:  # noqa: BLE001
            # A bug must not end a service that readers depend on; it must be seen.
            LOGGER.exception("%s failed", name)
            failures = [f"{name}: {type(error).__name__}: {error}"]
        finally:
            ended = time.monotonic()
            stage.seconds += ended - stage.running_since
            stage.running_since = None
        with self._lock:
            stage.runs += 1
            stage.ended = stage.beat = ended
            stage.is_well = not failures
            stage.failures += bool(failures)
            self._troubles.update(name, failures)
        self._save()

    def current(self, found: dict[str, Any]) -> None:
        """Note that nothing had changed."""
        with self._lock:
            stage = self._stages["posts"]
            stage.runs += 1
            stage.ended = stage.beat = time.monotonic()
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
        self._save()

    def beat(self, name: str) -> None:
        """Note a sign of life of a loop."""
        self._stages[name].beat = time.monotonic()

    def is_well(self, name: str) -> bool:
        """Whether the last run of a stage had no failure."""
        return self._stages[name].is_well

    def stuck(self) -> str | None:
        """The loop that is at work and gives no sign of life, None if there is none."""
        now = time.monotonic()
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
            posts = self._stages["posts"]
        since = posts.ended if posts.ended is not None else None
        limit = max(LATE_AFTER * every.total_seconds(), NEVER_BEFORE)
        age = time.monotonic() - since if since is not None else time.time() - self.started
        if age > limit:
            found.append(f"posts: not polled for {age:.0f} s")
        stuck = self.stuck()
        if stuck is not None:
            found.append(f"{stuck}: stuck")
        return found

    def stages(self) -> dict[str, tuple[int, int, float, float | None]]:
        """Runs, failures, seconds of work and seconds since the last run of each stage."""
        now = time.monotonic()
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

    def _save(self) -> None:
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
