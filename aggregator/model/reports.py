"""How far long work is, told to whoever shows it or watches that it goes on."""

from __future__ import annotations

from collections.abc import Callable

# Called with how much is done, and the total.
Progress = Callable[[int, int], None]
# The same, after the name of a stage or an origin.
Report = Callable[[str, int, int], None]


def no_report(stage: str, done: int, total: int) -> None:
    """Tell nobody."""
