"""What the daemon looks at next."""

import pytest

from aggregator.daemon.scans import MAX_NAMED, Named, Scans


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def take(scans: Scans, *, is_scheduled: bool = False) -> Named | None:
    return scans.take(is_scheduled=is_scheduled, gives_events=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scans(clock: Clock) -> Scans:
    """Scans of a folder that gives events, after the first one, which took 2 s."""
    scans = Scans(clock)
    assert take(scans) is None
    scans.add_event("posts", ["1.md"])
    take(scans)
    scans.scanned(2.0, found=True)
    return scans


def test_what_is_named_is_looked_at_once(scans: Scans) -> None:
    scans.add_event("posts", ["1.md", "2.md"])
    scans.add_event("posts", ["1.md"])
    scans.look_again({"other": ["3.md"]})
    assert take(scans) == {"posts": {"1.md", "2.md"}, "other": {"3.md"}}
    assert take(scans) == {}


def test_on_schedule_a_scan_takes_no_more_than_its_share(scans: Scans, clock: Clock) -> None:
    clock.now += 199
    assert take(scans, is_scheduled=True) == {}
    clock.now += 1
    assert take(scans) == {}
    assert take(scans, is_scheduled=True) is None


def test_without_events_each_scan_on_schedule_is_one_of_all(clock: Clock) -> None:
    scans = Scans(clock)
    for _ in range(3):
        assert scans.take(is_scheduled=True, gives_events=False) is None
        scans.scanned(2.0, found=False)


def test_a_change_without_an_event_means_that_events_are_lost(scans: Scans, clock: Clock) -> None:
    clock.now += 200
    assert take(scans, is_scheduled=True) is None
    scans.scanned(2.0, found=True)
    assert take(scans, is_scheduled=True) is None
    scans.scanned(2.0, found=False)
    assert take(scans, is_scheduled=True) == {}


def test_unknown_changes_take_a_scan(scans: Scans) -> None:
    scans.add_event("posts", None)
    assert take(scans) is None
    # An escaped place is no path.
    scans.look_again({"posts": ["a\\x00.md"]})
    assert take(scans) is None
    for half in range(2):
        scans.add_event("posts", [f"{half}-{number}.md" for number in range(MAX_NAMED // 2 + 1)])
    assert take(scans) is None
    scans.must_scan()
    assert take(scans) is None
    assert take(scans) == {}
