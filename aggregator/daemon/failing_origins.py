"""Which origins fail: one of which nothing was requested fails as before."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from aggregator.model.summaries import OriginSummary


class FailingOrigins:
    """What failed by origin when its URLs were last requested."""

    def __init__(self) -> None:
        self._failing: dict[str, list[str]] = {}

    def update(self, origins: Iterable[OriginSummary], configured: Collection[str]) -> list[str]:
        """Take in a poll; return the current failures of all origins that are configured."""
        self._failing = {name: found for name, found in self._failing.items() if name in configured}
        for origin in origins:
            if origin.failed and origin.failures:
                self._failing[origin.name] = origin.failures
            elif origin.requested:
                self._failing.pop(origin.name, None)
        return [failure for failures in self._failing.values() for failure in failures]
