"""Which kinds of work are due: marked by any thread, taken by the thread that does them."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Collection


class Due:
    """Kinds of work that are due now, or later on a clock that never jumps."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now: set[str] = set()
        self._later: dict[str, float] = {}

    def mark(self, *kinds: str) -> None:
        """Make kinds due now; without kinds, only end a wait."""
        with self._changed:
            self._now.update(kinds)
            self._changed.notify_all()

    def mark_later(self, seconds: float, *kinds: str) -> None:
        """Make kinds due after the given seconds, unless they are due earlier."""
        moment = time.monotonic() + seconds
        with self._changed:
            for kind in kinds:
                self._later[kind] = min(moment, self._later.get(kind, moment))
            self._changed.notify_all()

    def mark_at(self, moment: datetime.datetime | None, kind: str) -> None:
        """Make a kind due at a moment; do nothing for None."""
        if moment is not None:
            self.mark_later(max(moment.timestamp() - time.time(), 0.0), kind)

    def mark_retry(self, pause: float, kinds: Collection[str]) -> None:
        """Make kinds that failed due after `pause` seconds, unless one is due later already.

        A pause of 0 means that nothing failed.
        """
        if pause and not self.is_due_later(kinds):
            self.mark_later(pause, *kinds)

    def is_due_later(self, kinds: Collection[str]) -> bool:
        """Return whether one of these kinds is due later."""
        with self._changed:
            return not self._later.keys().isdisjoint(kinds)

    def take(self, kinds: Collection[str], seconds: float) -> set[str]:
        """Return which of these kinds are due, after waiting for one for `seconds` at most."""
        with self._changed:
            if not self._due(kinds):
                moments = [moment for kind, moment in self._later.items() if kind in kinds]
                now = time.monotonic()
                self._changed.wait(max(min([now + seconds, *moments]) - now, 0.0))
            found = self._due(kinds)
            self._now -= found
            for kind in found:
                self._later.pop(kind, None)
        return found

    def _due(self, kinds: Collection[str]) -> set[str]:
        now = time.monotonic()
        late = {kind for kind, moment in self._later.items() if moment <= now}
        return (self._now | late).intersection(kinds)
