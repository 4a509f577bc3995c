"""Whatever a piece of the daemon's work raises, as words for its log and its status."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

from aggregator.model.errors import AggregatorError, unforeseen
from aggregator.model.logs import LOGGER

_PACKAGE = str(Path(__file__).parents[1])


def failures_of(name: str, work: Callable[[], list[str]]) -> list[str]:
    """What a piece of work could not do: what it says, or what it raised.

    A bug must not end a service that readers depend on; it must be seen.
    """
    try:
        return work()
    except AggregatorError as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001
        LOGGER.debug("%s", name, exc_info=True)
        return [f"{name}: {unforeseen(error)} ({_where(error)})"]


def _where(error: BaseException) -> str:
    """The last line of this program that an error came from."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__
    ]
    ours = [frame for frame in frames if frame.filename.startswith(_PACKAGE)] or frames
    return f"{_short(Path(ours[-1].filename))}:{ours[-1].lineno}" if ours else "no line"


def _short(path: Path) -> str:
    return str(path.relative_to(_PACKAGE)) if path.is_relative_to(_PACKAGE) else path.name
