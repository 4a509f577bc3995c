"""The jobs that concern all hosts."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from configured import settings_with
from postgresql import new_database

from aggregator.config.schema import Settings
from aggregator.model.errors import StoreError
from aggregator.pipeline import host_polling
from aggregator.poll.due_hosts import Place
from aggregator.workers.jobs import BUILD, FIND_DUE
from aggregator.workers.steps import Steps

URL = "https://a.example.org/feed.xml"


def steps(settings: Settings, failures: dict[str, list[str]], found: list[object]) -> Steps:
    def build() -> concurrent.futures.Future[None]:
        done: concurrent.futures.Future[None] = concurrent.futures.Future()
        done.set_result(None)
        found.append("built")
        return done

    async def defer(hosts: Mapping[str, Sequence[Place]]) -> None:
        found.append(dict(hosts))

    return Steps(lambda: settings, build, defer, lambda: None, failures.__setitem__)


def test_what_is_due_becomes_jobs_and_a_build_is_one(tmp_path: Path) -> None:
    settings = settings_with(store=new_database(), base=tmp_path, subscriptions=[{"url": URL}])
    host_polling.prepare(settings)
    failures: dict[str, list[str]] = {}
    found: list[object] = []
    all_steps = steps(settings, failures, found).all()
    for name in (FIND_DUE, BUILD):
        asyncio.run(all_steps[name]())
    assert found == [{"a.example.org": [(f"subscriptions:{URL}", URL)]}, "built"]
    assert failures == {"job find due": [], "origins": [], "job build": []}


def test_a_failure_is_recorded_until_the_next_success(tmp_path: Path) -> None:
    failures: dict[str, list[str]] = {}
    broken = settings_with(store="postgresql://127.0.0.1:1/x", base=tmp_path)
    with pytest.raises(StoreError):
        asyncio.run(steps(broken, failures, []).all()[FIND_DUE]())
    assert "127.0.0.1" in failures["job find due"][0]
