"""Progress bars, tables and readable times for a terminal."""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aggregator.model.reports import Report
from aggregator.model.terminal import counted, printable, say_row

_UNITS = (
    (31_536_000, "year"),
    (2_592_000, "month"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
)
_NUMBERS = ("entries", "articles", "kB")


class Clock(NamedTuple):
    """The time zone that times are shown in, and the moment that they are relative to."""

    zone: datetime.tzinfo
    now: datetime.datetime

    @classmethod
    def of(cls, timezone: str) -> Clock:
        """Return the clock of a zone, such as `Asia/Shanghai`, at this moment."""
        return cls(ZoneInfo(timezone), datetime.datetime.now(datetime.UTC))

    def show(self, timestamp: str | None, *, brief: bool = False) -> str:
        """Return an RFC 3339 timestamp in the zone, with a relative time; `never` for None.

        A `brief` one has no year in the current year, and no time in others.

        >>> clock = Clock(datetime.UTC, datetime.datetime(2026, 11, 28, 18, tzinfo=datetime.UTC))
        >>> clock.show("2026-11-28T17:57:12Z"), clock.show("2026-11-30T18:00:00Z", brief=True)
        ('2026-11-28 17:57 (2 minutes ago)', '11-30 18:00 (in 2 days)')
        """
        if timestamp is None:
            return "never"
        moment = datetime.datetime.fromisoformat(timestamp).astimezone(self.zone)
        seconds = int((self.now - moment).total_seconds())
        relative = "now"
        for size, unit in _UNITS:
            if abs(seconds) >= size:
                distance = counted(abs(seconds) // size, unit)
                relative = f"{distance} ago" if seconds > 0 else f"in {distance}"
                break
        form = "%Y-%m-%d %H:%M"
        if brief:
            is_this_year = moment.year == self.now.astimezone(self.zone).year
            form = "%m-%d %H:%M" if is_this_year else "%Y-%m-%d"
        return f"{moment:{form}} ({relative})"


@contextlib.contextmanager
def progress(silent: bool) -> Iterator[Report]:
    """Show a progress bar on a terminal, and nothing elsewhere."""
    if silent or not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, TaskID

    # Without a thread of its own: worker processes are forked while it shows.
    with Progress(console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(escape(printable(stage)), total=total)
            bar.update(tasks[stage], completed=done, total=total, refresh=True)

        yield report


def print_table(columns: dict[str, list[str]]) -> None:
    """Print columns under their names: a table on a terminal, tab-separated lines elsewhere."""
    rows = zip(*columns.values(), strict=True)
    if not sys.stdout.isatty():
        for row in (tuple(columns), *rows):
            say_row(row)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in _NUMBERS else "left")
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    Console().print(table)
