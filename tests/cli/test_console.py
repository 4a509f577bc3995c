"""Progress, tables and times for people."""

import datetime
from zoneinfo import ZoneInfo

from conftest import Site
from corpus import write_corpus
from terminals import on_a_terminal

from aggregator.cli.console import Clock


def test_times_are_in_the_zone_and_relative() -> None:
    now = datetime.datetime(2026, 11, 28, 18, tzinfo=datetime.UTC)
    clock = Clock(ZoneInfo("Asia/Shanghai"), now)
    for moment, shown, brief in (
        ("2026-11-28T18:00:00Z", "2026-11-29 02:00 (now)", "11-29 02:00 (now)"),
        ("2026-11-28T17:59:59Z", "2026-11-29 01:59 (1 second ago)", "11-29 01:59 (1 second ago)"),
        ("2026-11-28T20:05:00Z", "2026-11-29 04:05 (in 2 hours)", "11-29 04:05 (in 2 hours)"),
        ("2025-12-31T17:00:00Z", "2026-01-01 01:00 (11 months ago)", "01-01 01:00 (11 months ago)"),
        ("2025-10-01T00:00:00Z", "2025-10-01 08:00 (1 year ago)", "2025-10-01 (1 year ago)"),
    ):
        assert (clock.show(moment), clock.show(moment, brief=True)) == (shown, brief)
    assert clock.show(None) == "never"


def shown_to_people(site: Site, *arguments: str) -> str:
    return on_a_terminal(site, *arguments, TERM="xterm", COLUMNS="100").decode()


def test_a_progress_bar_on_a_terminal_and_plain_lines_elsewhere(site: Site) -> None:
    write_corpus(site.posts, 300)
    shown = shown_to_people(site, "build-feeds")
    assert "posts" in shown
    assert "100%" in shown
    assert "\x1b[" in shown
    result = site.build("--full")
    assert "\x1b" not in result.out + result.err
    assert result.err == ""


def test_tables_on_a_terminal(built: Site) -> None:
    shown = shown_to_people(built, "sources")
    assert "华夏时报" in shown
    assert "\t" not in shown
