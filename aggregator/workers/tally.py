"""What polls did, summed up: they are saved every second, which nobody wants to read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from aggregator.model.summaries import OriginSummary
from aggregator.pipeline.polling import PollOutcome

# Seconds of polls under way that are one line of the log.
EVERY = 30.0


class Tally:
    """Sums up what polls did, and has it recorded now and then."""

    def __init__(
        self,
        record: Callable[[PollOutcome], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record, self._clock = record, clock
        self._done: dict[str, OriginSummary] = {}
        self._recorded_at = clock()

    def add(self, origins: Iterable[OriginSummary], *, is_last: bool) -> None:
        """Add what was done; record it if it is the last for now, or some time has passed."""
        for origin in origins:
            self._done.setdefault(origin.name, OriginSummary(name=origin.name)).add(origin)
        if is_last or self._clock() - self._recorded_at > EVERY:
            self.record()

    def record(self) -> None:
        """Record what was added since the last time."""
        self._recorded_at = self._clock()
        if self._done:
            self._record(PollOutcome(origins=list(self._done.values())))
            self._done.clear()
