"""When the work is due, whatever the clock does."""

import datetime
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from waiting import wait_for

from aggregator.daemon import schedule
from aggregator.daemon.health import Health


@pytest.fixture
def make_schedule(health: Health) -> Iterator[Callable[..., schedule.Schedule]]:
    made: list[schedule.Schedule] = []

    def make(mark: Callable[..., None], **kinds: float) -> schedule.Schedule:
        periods = {kind: datetime.timedelta(seconds=every) for kind, every in kinds.items()}
        made.append(schedule.Schedule(periods, "Asia/Shanghai", mark, health))
        return made[-1]

    yield make
    for found in made:
        found.close()
        found.close()  # twice does no harm


def test_a_scheduler_that_breaks_down_goes_on(
    health: Health, make_schedule: Callable[..., schedule.Schedule]
) -> None:
    marked: list[str] = []
    made = make_schedule(marked.append, posts=0.05)
    wait_for(lambda: marked)
    jobs = made._scheduler._jobstores["default"]
    update, broken = jobs.update_job, [KeyError("a job that cannot be saved")]

    def breaking(job: object) -> object:
        if broken:
            raise broken.pop()
        return update(job)

    jobs.update_job = breaking  # nothing real breaks jobs in memory
    wait_for(lambda: health.open_failures())
    assert "schedule: KeyError" in health.open_failures()[0]
    count = len(marked)
    wait_for(lambda: len(marked) > count + 2)


def test_ending_a_schedule_is_no_failure(
    health: Health, make_schedule: Callable[..., schedule.Schedule]
) -> None:
    """Jobs that are due while all are removed are looked for, and not found."""
    for _ in range(50):
        made = make_schedule(lambda *_: None, posts=0.002)
        threading.Event().wait(0.006)
        made.close()
    assert health.open_failures() == []


@pytest.mark.parametrize(
    ("shift", "jumped"), [(0, False), (4.9, False), (-4.9, False), (5.1, True), (-3600, True)]
)
def test_a_clock_has_jumped_by_five_seconds(
    make_schedule: Callable[..., schedule.Schedule],
    monkeypatch: pytest.MonkeyPatch,
    shift: float,
    jumped: bool,
) -> None:
    now = SimpleNamespace(time=lambda: 5000.0 + shift, monotonic=lambda: 70.0)
    shift, wanted = 0, shift
    monkeypatch.setattr(schedule, "time", now)
    made = make_schedule(lambda *_: None, posts=3600)
    shift = wanted
    assert made.clock_has_jumped() == jumped
    # Once: what the clock says now is what it says.
    assert not made.clock_has_jumped()


def test_jobs_come_time_and_again_and_after_a_jump(
    make_schedule: Callable[..., schedule.Schedule],
) -> None:
    marked: list[str] = []
    made = make_schedule(marked.append, posts=0.05, lists=3600)
    wait_for(lambda: marked.count("posts") >= 3)
    # As if the clock had been set back by an hour.
    made._offset += 3600
    for job in made._scheduler.get_jobs():
        job.modify(next_run_time=job.next_run_time + datetime.timedelta(hours=1))
    assert made.clock_has_jumped()
    count = marked.count("posts")
    wait_for(lambda: marked.count("posts") >= count + 2)
    assert "lists" not in marked


def test_a_schedule_whose_jobs_are_dead_is_known_to_have_stopped(
    make_schedule: Callable[..., schedule.Schedule], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "MAX_JITTER", 0.0)
    made = make_schedule(lambda *_: None, posts=0.1, lists=3600)
    assert not made.has_stopped()
    made._scheduler.shutdown()  # nothing real ends it
    wait_for(made.has_stopped)
