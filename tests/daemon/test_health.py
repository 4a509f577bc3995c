"""What the daemon decides about itself: due, stuck, late, failing; and what it says of it."""

import datetime
import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from aggregator.daemon import endpoints, schedule
from aggregator.daemon import health as health_module
from aggregator.daemon.due import Due
from aggregator.daemon.failures import OpenFailures
from aggregator.daemon.health import FIRST_PAUSE, LONGEST_PAUSE, STUCK_AFTER, Health
from aggregator.model import logs
from aggregator.model.errors import AggregatorError
from aggregator.model.logs import LOGGER

EVERY = datetime.timedelta(seconds=30)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(tmp_path: Path, clock: Clock) -> Health:
    return Health(tmp_path / "state", EVERY, clock)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged, a line a record."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(logs._Text(for_journal=True))
    before, level = LOGGER.handlers[:], LOGGER.level
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.INFO)
    yield lines
    LOGGER.handlers[:] = before
    LOGGER.setLevel(level)


def defect() -> list[str]:
    raise KeyError("a\nbug" + "x" * 1000)


def foreseen() -> list[str]:
    raise AggregatorError("/srv/posts: no such folder")


def well() -> list[str]:
    return []


@pytest.mark.parametrize("stage", health_module.STAGES)
def test_whatever_a_stage_raises_is_seen_until_it_is_over(
    health: Health, log: io.StringIO, tmp_path: Path, stage: str
) -> None:
    for _ in range(3):
        health.run_stage(stage, defect)
    (failure,) = health.reasons_unhealthy()
    assert failure.startswith(f"{stage}: KeyError: 'a\\nbugxxx")
    assert failure.endswith(f"(test_health.py:{defect.__code__.co_firstlineno + 1})")
    assert len(failure) < 300
    assert not health.has_succeeded(stage)
    assert json.loads((tmp_path / "state").read_text())["failures"] == [failure]
    for name in ("runs", "failed_runs"):
        count = health.metrics.registry.get_sample_value
        assert count(f"aggregator_{name}_total", {"stage": stage}) == 3
    health.run_stage(stage, well)
    assert health.reasons_unhealthy() == health.open_failures() == []
    assert json.loads((tmp_path / "state").read_text())["failures"] == []
    lines = log.getvalue().splitlines()
    assert lines == [f"<3>{failure}", f"<4>resolved: {failure}"]


def test_two_stages_fail_each_for_itself(health: Health) -> None:
    health.run_stage("posts", foreseen)
    health.run_stage("hubs", foreseen)
    health.run_stage("posts", well)
    assert health.reasons_unhealthy() == ["/srv/posts: no such folder"]
    health.run_stage("hubs", well)
    assert health.reasons_unhealthy() == []


def test_a_stage_that_is_told_to_stop_stops(health: Health) -> None:
    class Stop(BaseException):
        pass

    def stop() -> list[str]:
        raise Stop

    with pytest.raises(Stop):
        health.run_stage("posts", stop)
    assert health.stuck_stage() is None


def test_the_pause_grows_to_a_bound_and_begins_anew(health: Health) -> None:
    pauses = [health.run_stage("hubs", foreseen) for _ in range(40)]
    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses == sorted(pauses)
    assert set(pauses[10:]) == {LONGEST_PAUSE}
    assert health.run_stage("hubs", well) == 0
    assert health.run_stage("hubs", foreseen) == FIRST_PAUSE


def test_no_thread_ends_but_when_it_is_told_to(
    health: Health, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_module, "FIRST_PAUSE", 0.001)
    stopping = threading.Event()
    errors: list[Exception] = [KeyError("a"), MemoryError(), AggregatorError("b: c"), OSError(5)]
    seen: list[list[str]] = []

    def turn() -> None:
        seen.append(health.open_failures())
        if errors:
            raise errors.pop(0)
        stopping.set()

    thread = threading.Thread(target=health.run_loop, args=("watch x", turn, stopping))
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert [len(failures) for failures in seen] == [0, 1, 1, 1, 1]
    assert health.open_failures() == []
    assert log.getvalue().count("resolved: ") == 3


@given(st.sampled_from(sorted(STUCK_AFTER)), st.floats(0, 10_000), st.floats(0, 10_000))
def test_stuck_is_what_is_at_work_and_gives_no_sign_of_life(
    stage: str, before: float, after: float
) -> None:
    clock = Clock()
    health = Health(Path("/nonexistent/state"), EVERY, clock)
    found: list[str | None] = []

    def work() -> list[str]:
        clock.now += before
        health.heartbeat(stage)
        clock.now += after
        found.append(health.stuck_stage())
        if found[0] is not None:
            assert f"{stage}: stuck" in health.reasons_unhealthy()
            assert f"{stage}: stuck" in health.open_failures()
        return []

    health.run_stage(stage, work)
    assert found == [stage if after > STUCK_AFTER[stage] else None]
    clock.now += 1e6
    assert health.stuck_stage() is None


@pytest.mark.parametrize(("every", "limit"), [(1, 120), (24, 120), (30, 150), (3600, 18_000)])
def test_late_is_five_times_the_schedule_and_two_minutes_at_least(
    tmp_path: Path, clock: Clock, every: int, limit: int
) -> None:
    health = Health(tmp_path / "state", datetime.timedelta(seconds=every), clock)
    clock.now += limit
    assert health.reasons_unhealthy() == []
    clock.now += 1
    assert health.reasons_unhealthy() == [f"posts: not polled for {limit + 1} s"]
    health.run_stage("posts", well)
    assert health.reasons_unhealthy() == []
    health.run_stage("upstream", well)
    clock.now += limit + 1
    assert health.reasons_unhealthy() == [f"posts: not polled for {limit + 1} s"]


messages = st.lists(
    st.tuples(st.sampled_from("abc"), st.text("xyz", max_size=2)).map(": ".join), max_size=4
)


@given(st.lists(st.tuples(st.sampled_from(["posts", "hubs"]), messages), max_size=12))
def test_a_failure_is_logged_when_it_starts_and_when_it_ends(
    updates: list[tuple[str, list[str]]],
) -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    before, level, spreads = LOGGER.handlers[:], LOGGER.level, LOGGER.propagate
    LOGGER.handlers[:], LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)
    try:
        failures = OpenFailures()
        places: dict[str, set[str]] = {"posts": set(), "hubs": set()}
        for about, found in updates:
            lines.clear()
            failures.replace(about, found)
            now = {message.partition(": ")[0] for message in found}
            started = [
                line.partition(": ")[0] for line in lines if not line.startswith("resolved: ")
            ]
            ended = [line.split(": ")[1] for line in lines if line.startswith("resolved: ")]
            assert sorted(started) == sorted(now - places[about])
            assert sorted(ended) == sorted(places[about] - now)
            places[about] = now
            assert len(failures.messages()) == sum(map(len, places.values()))
    finally:
        LOGGER.handlers[:], LOGGER.propagate = before, spreads
        LOGGER.setLevel(level)


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


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


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
    made._offset -= 3600
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


def test_what_is_due_is_taken_once_and_by_whom_it_is_for() -> None:
    due = Due()
    due.mark("posts", "lists")
    assert due.take({"lists"}, 0) == {"lists"}
    assert due.take({"lists"}, 0) == set()
    assert due.take({"posts", "build"}, 20) == {"posts"}
    due.mark_later(3600, "posts")
    due.mark_later(0.05, "posts")
    due.mark_later(3600, "posts")
    assert due.is_due_later({"posts", "build"})
    assert not due.is_due_later({"build"})
    started = time.monotonic()
    assert due.take({"posts"}, 20) == {"posts"}
    assert time.monotonic() - started >= 0.05
    assert not due.is_due_later({"posts"})
    assert due.take({"posts"}, 0.01) == set()


def test_a_wait_ends_when_something_is_marked() -> None:
    due = Due()
    found: list[set[str]] = []
    thread = threading.Thread(target=lambda: found.append(due.take({"hubs"}, 60)))
    thread.start()
    due.mark("posts")
    due.mark("hubs")
    thread.join(20)
    assert found in ([{"hubs"}], [set()])  # another kind may have ended the wait
    assert due.take({"posts", "hubs"}, 0) == {"posts", "hubs"} - found[0]


def test_a_server_that_breaks_down_is_started_again(
    health: Health, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing real makes uvicorn end: its first run raises here."""
    make_server = endpoints.server.make_server
    broken: list[object] = []

    def breaking(application: object) -> object:
        server = make_server(application)
        if not broken:
            broken.append(server)
            server.run = lambda **_: (_ for _ in ()).throw(SystemExit(3))  # type: ignore[method-assign]
        return server

    monkeypatch.setattr(endpoints.server, "make_server", breaking)
    port = endpoints.start("127.0.0.1:0", health, tmp_path)
    assert broken

    def answer() -> int:
        try:
            return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code
        except requests.ConnectionError:
            return 0

    wait_for(answer)
    assert answer() == 503
    assert any("the server broke down" in failure for failure in health.open_failures())
