"""The daemon's current failures, for its log and its status."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

from aggregator.model.errors import AggregatorError, unforeseen
from aggregator.model.logs import LOGGER

_PACKAGE = Path(__file__).parents[1]


class OpenFailures:
    """The failures of all stages that are not resolved; logs when one starts and ends.

    Within its stage a failure is known by its place: the message up to the first ": ".
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], str] = {}

    def replace(self, stage: str, messages: list[str]) -> None:
        """Make `messages` the open failures of a stage; those that are gone are resolved."""
        now = {(stage, message.partition(": ")[0]): message for message in messages}
        for key, message in now.items():
            if not self._is_open(key[1]):
                LOGGER.error("%s", message)
        resolved = sorted(key for key in self._open.keys() - now.keys() if key[0] == stage)
        for key in resolved:
            message = self._open.pop(key)
            if not self._is_open(key[1]):
                LOGGER.warning("resolved: %s", message)
        self._open |= now

    def _is_open(self, place: str) -> bool:
        """Return whether any stage has a failure at a place: it is logged once."""
        return any(known == place for _, known in self._open)

    def messages(self) -> list[str]:
        """Return all open failures, the oldest first."""
        return list(self._open.values())


def failures_of(name: str, work: Callable[[], list[str]]) -> list[str]:
    """Do a piece of work, and return the failures that it returned or raised.

    A bug must not end a service that readers depend on, and must not go unnoticed.
    """
    try:
        return work()
    except AggregatorError as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001
        LOGGER.debug("%s", name, exc_info=True)
        return [f"{name}: {unforeseen(error)} ({_origin_line(error)})"]


def _origin_line(error: BaseException) -> str:
    """Return the last line of this program that an error came through, as FILE:LINE."""
    frames = [
        (Path(frame.filename), frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename != __file__
    ]
    ours = [frame for frame in frames if frame[0].is_relative_to(_PACKAGE)] or frames
    if not ours:
        return "no line"
    path, line = ours[-1]
    name = path.relative_to(_PACKAGE) if path.is_relative_to(_PACKAGE) else path.name
    return f"{name}:{line}"
