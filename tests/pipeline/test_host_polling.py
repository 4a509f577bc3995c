"""Polling as one of several machines, on a real database and a real server."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from configured import settings_with
from postgresql import new_database
from upstream import Upstream
from waiting import wait_for

from aggregator.config.schema import Settings
from aggregator.pipeline import host_polling, recovery
from aggregator.poll.host_polls import HostJob, Saved
from aggregator.store.articles import count_articles
from aggregator.store.origins import last_poll


@pytest.fixture
def settings(tmp_path: Path, upstream: Upstream) -> Settings:
    item = {"title": "T", "url_w": "http://news.example/1"}
    url = upstream.document("/list", {"records": [item]})
    return settings_with(
        store=new_database(),
        base=tmp_path,
        lists=[{"url": url, "shape": "records", "robots": False}],
        fetch={"allow_private_addresses": True, "per_host": {"delay": "0s"}},
    )


def test_what_is_due_is_found_polled_and_not_due_again(
    settings: Settings, upstream: Upstream
) -> None:
    host_polling.prepare(settings)
    found, failures = host_polling.hosts_with_work(settings)
    assert failures == []
    assert list(found) == [upstream.host]
    saved: list[Saved] = []
    ended: list[float | Exception] = []
    with host_polling.host_polls(settings, saved.append, lambda: True) as polls:
        thread = threading.Thread(target=polls.run, args=(lambda: None,))
        thread.start()
        polls.submit(HostJob(upstream.host, found[upstream.host], ended.append))
        wait_for(lambda: ended)
        polls.stop()
        thread.join(20)
    assert [origin.new for one in saved for origin in one.origins] == [1]
    assert host_polling.hosts_with_work(settings) == ({}, [])
    with recovery.open_store(settings) as store, store.reading() as connection:
        assert count_articles(connection) == 1


def test_all_machines_take_part_in_one_poll_until_a_new_one_begins(settings: Settings) -> None:
    def number() -> int:
        with recovery.open_store(settings) as store, store.reading() as connection:
            return last_poll(connection)

    host_polling.prepare(settings)
    first = number()
    host_polling.prepare(settings)
    assert number() == first > 0
    host_polling.begin_poll(settings)
    assert number() == first + 1
