"""The daemon in numbers."""

import pytest
from prometheus_client import generate_latest

from aggregator.daemon.metrics import Metrics
from aggregator.model.summaries import OriginSummary, PollSummary


def numbers(metrics: Metrics) -> dict[str, float]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name.removeprefix("aggregator_"): float(value) for name, _, value in pairs}


def test_every_stage_is_counted_from_zero() -> None:
    found = numbers(Metrics(["posts", "build"]))
    for name in ("runs_total", "failed_runs_total", "work_seconds_total"):
        assert found[f'{name}{{stage="posts"}}'] == found[f'{name}{{stage="build"}}'] == 0
    assert not [name for name in found if "_created" in name]


@pytest.mark.parametrize("has_failed", [True, False])
def test_runs_and_those_that_failed(has_failed: bool) -> None:
    metrics = Metrics(["posts", "build"])
    metrics.count_run("posts", has_failed=has_failed)
    found = numbers(metrics)
    assert found['runs_total{stage="posts"}'] == 1
    assert found['failed_runs_total{stage="posts"}'] == has_failed
    assert found['runs_total{stage="build"}'] == 0


def test_changes_and_requests_add_up_over_polls() -> None:
    metrics = Metrics(["posts"])
    for _ in range(2):
        metrics.count_changes(PollSummary(new=2, removed=1))
        origin = OriginSummary(name="lists:x", revised=3, read=1, not_modified=4, failed=5)
        metrics.count_changes(origin)
        metrics.count_requests(origin)
    found = numbers(metrics)
    assert [found[f'changes_total{{kind="{kind}"}}'] for kind in ("new", "removed", "revised")] == [
        4, 2, 6
    ]  # fmt: skip
    results = ("read", "not_modified", "failed")
    assert [
        found[f'requests_total{{origin="lists:x",result="{result}"}}'] for result in results
    ] == [2, 8, 10]
