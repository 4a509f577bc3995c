"""Who may join the machines of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from configured import settings_with
from postgresql import new_database

from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError
from aggregator.store.machines import Machines
from aggregator.workers import membership

FEEDS = "https://finews.example.org/feeds/"


@pytest.fixture
def url() -> str:
    return new_database()


def on(url: str, base: Path, **sections: Any) -> Settings:
    (base / "var").mkdir(parents=True, exist_ok=True)
    return settings_with(store=url, base=base, **sections)


def names(url: str) -> list[str]:
    machines = Machines(url)
    try:
        return [machine.name for machine in machines.all()]
    finally:
        machines.close()


def test_machines_with_the_same_configuration_join(url: str, tmp_path: Path) -> None:
    for name in ("process 1 on a", "process 2 on b"):
        membership.join(on(url, tmp_path / name), name, ["posts", "upstream"])
    assert names(url) == ["process 1 on a", "process 2 on b"]
    membership.beat(on(url, tmp_path), "process 1 on a")


def test_one_that_disagrees_is_refused_with_the_section(url: str, tmp_path: Path) -> None:
    membership.join(on(url, tmp_path), "process 1 on a", ["posts"])
    other = on(url, tmp_path, schedule={"shares": "9m"})
    with pytest.raises(ConfigError, match=r"schedule: .*process 1 on a"):
        membership.join(other, "process 2 on b", ["upstream"])
    with pytest.raises(ConfigError, match="schedule"):
        membership.check(other, "process 2 on b")
    membership.check(on(url, tmp_path), "process 2 on b")
    # Alone, it may have what it likes.
    membership.check(other, "process 1 on a")
    assert names(url) == ["process 1 on a"]


@pytest.mark.parametrize(
    ("directory", "host", "is_refused"),
    [
        ("feeds", "a", False),  # the same folder: it was started again
        ("other", "a", True),
        ("feeds", "b", True),  # the same path, on another host
    ],
)
def test_one_machine_publishes_in_a_folder(
    url: str, tmp_path: Path, directory: str, host: str, is_refused: bool
) -> None:
    membership.join(on(url, tmp_path), "process 1 on a", ["build"])
    settings = on(url, tmp_path, feeds={"url": FEEDS, "directory": directory})
    name = f"process 2 on {host}"
    membership.join(settings, name, ["posts", "upstream"])
    if is_refused:
        with pytest.raises(ConfigError, match="feeds: directory"):
            membership.join(settings, name, ["build"])
    else:
        membership.join(settings, name, ["build"])
