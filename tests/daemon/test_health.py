"""What the daemon decides about itself: due, stuck, late, failing; and what it says of it."""

import datetime
import io
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import EVERY, Clock
from hypothesis import given
from hypothesis import strategies as st

from aggregator.daemon import health as health_module
from aggregator.daemon.health import FIRST_PAUSE, LONGEST_PAUSE, STUCK_AFTER, Health
from aggregator.model import logs
from aggregator.model.errors import AggregatorError
from aggregator.model.logs import LOGGER


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


def test_a_state_that_could_not_be_written_is_written_later(
    health: Health, log: io.StringIO, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    health.run_stage("posts", foreseen)
    (tmp_path / "state").rmdir()
    health.save_state()
    assert json.loads((tmp_path / "state").read_text())["failures"]


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
