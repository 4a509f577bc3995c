"""The daemon's work on the network, against a server on this machine."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from configured import settings_with
from upstream import Upstream
from waiting import wait_for

from aggregator.config.schema import Settings
from aggregator.daemon.due import Due
from aggregator.daemon.health import Health
from aggregator.daemon.network import Network


@pytest.fixture
def settings(tmp_path: Path, upstream: Upstream) -> Settings:
    items = {"records": [{"title": "T", "url_w": "http://news.example/1"}]}
    url = upstream.document("/list", items)
    (tmp_path / "posts").mkdir()
    return settings_with(
        base=tmp_path,
        lists=[{"url": url, "shape": "records", "robots": False}],
        **{"subscriptions.opml": [{"url": f"{upstream.url}/feeds.opml"}]},
        fetch={"allow_private_addresses": True, "per_host": {"delay": "0s"}},
    )


@pytest.fixture
def working(health: Health, settings: Settings) -> Iterator[tuple[Network, Due]]:
    """The two threads, and what marks their work."""
    due, stopping = Due(), threading.Event()
    network = Network(health, due, stopping, lambda: settings)
    network.start()
    network.start()  # twice does no harm
    yield network, due
    stopping.set()
    network.cancel()
    due.mark()
    network.join()


def test_what_is_due_is_polled_and_a_build_follows(
    working: tuple[Network, Due], health: Health, upstream: Upstream
) -> None:
    _, due = working
    due.mark("lists")
    assert due.take({"build"}, 20) == {"build"}
    wait_for(lambda: health.has_succeeded("upstream"))
    assert upstream.counts()["/list"] == 1


def test_a_list_of_feeds_that_changed_has_the_configuration_loaded_again(
    working: tuple[Network, Due], health: Health, upstream: Upstream
) -> None:
    _, due = working
    upstream.document("/feeds.opml", "<opml><outline xmlUrl='http://a.example/1'/></opml>")
    due.mark("subscriptions")
    assert due.take({"reload"}, 20) == {"reload"}


def test_a_failure_stays_open_until_its_url_has_been_requested_again(
    working: tuple[Network, Due], health: Health, upstream: Upstream
) -> None:
    _, due = working
    upstream.documents.clear()
    due.mark("lists")
    wait_for(health.open_failures)
    assert "none of 1 could be read" in health.open_failures()[0]
    due.mark("lists")
    runs = health.metrics.registry
    wait_for(lambda: runs.get_sample_value("aggregator_runs_total", {"stage": "upstream"}) == 2)
    assert "none of 1 could be read" in health.open_failures()[0]
    assert upstream.counts()["/list"] == 1
    assert not due.is_due_later({"lists"})


def test_a_poll_that_could_not_begin_is_tried_again_later(
    working: tuple[Network, Due], health: Health, settings: Settings
) -> None:
    _, due = working
    settings.store_path.parent.mkdir()
    settings.store_path.mkdir()
    due.mark("lists")
    wait_for(health.open_failures)
    wait_for(lambda: due.is_due_later({"lists"}))


def test_hubs_are_work_only_where_there_are_some(
    working: tuple[Network, Due], settings: Settings
) -> None:
    assert working[0].hub_kinds() == frozenset()
    hubs = settings.feeds.model_copy(update={"hubs": ("https://hub.example/",)})
    with_hubs = settings.model_copy(update={"feeds": hubs})
    network = Network(None, Due(), threading.Event(), lambda: with_hubs)  # type: ignore[arg-type]
    assert network.hub_kinds() == {"hubs"}
