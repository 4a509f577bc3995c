"""The daemon's threads among several machines, on a real database and a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from configured import settings_with
from postgresql import new_database
from upstream import Upstream
from waiting import wait_for

from aggregator.config.schema import Settings
from aggregator.daemon.due import Due
from aggregator.daemon.health import Health
from aggregator.daemon.shared_network import SharedNetwork
from aggregator.model.errors import ConfigError
from aggregator.store.machines import Machines
from aggregator.workers.cluster import DRAIN_WITHIN


@pytest.fixture
def settings(tmp_path: Path, upstream: Upstream) -> Settings:
    item = {"title": "T", "url_w": "http://news.example/1"}
    url = upstream.document("/list", {"records": [item]})
    (tmp_path / "var").mkdir()
    return settings_with(
        store=new_database(),
        base=tmp_path,
        lists=[{"url": url, "shape": "records", "robots": False}],
        fetch={"allow_private_addresses": True, "per_host": {"delay": "0s"}},
    )


@pytest.fixture
def working(health: Health, settings: Settings) -> Iterator[tuple[SharedNetwork, Due]]:
    due, stopping = Due(), threading.Event()
    roles = ["posts", "upstream", "build"]
    network = SharedNetwork(health, due, stopping, lambda: settings, roles)
    network.begin()
    network.beat()
    network.start()
    network.start()  # twice does no harm
    yield network, due
    stopping.set()
    network.cancel()
    began = time.monotonic()
    network.join()
    assert machines(settings) == 0
    # A job may have requested a build after `cancel`, which nobody does any more.
    assert time.monotonic() - began < DRAIN_WITHIN - 1


def machines(settings: Settings) -> int:
    found = Machines(str(settings.store_address))
    try:
        return len(found.all())
    finally:
        found.close()


def test_what_is_due_is_polled_as_a_job_and_a_build_follows(
    working: tuple[SharedNetwork, Due], settings: Settings, health: Health, upstream: Upstream
) -> None:
    network, due = working
    assert machines(settings) == 1
    # The build of every minute comes first, as a job; then that of what was polled.
    for _ in range(2):
        wait_for(lambda: due.take({"build"}, 0.1), 40)
        network.built()
        if upstream.counts()["/list"]:
            break
    wait_for(lambda: upstream.counts()["/list"] == 1)
    assert health.open_failures() == []


def test_settings_of_others_are_respected(
    working: tuple[SharedNetwork, Due], settings: Settings
) -> None:
    network, _ = working
    other = Machines(str(settings.store_address))
    other.join("process 1 on other", ["upstream"], "p", "1")
    changed = settings.model_copy(update={"lists": ()})
    with pytest.raises(ConfigError, match="lists"):
        network.check(changed)
    network.check(settings)
    other.leave("process 1 on other")
    other.close()


def test_hubs_are_no_kind_of_work_of_this_machine(working: tuple[SharedNetwork, Due]) -> None:
    assert working[0].hub_kinds() == frozenset()
