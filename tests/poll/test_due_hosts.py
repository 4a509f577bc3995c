"""Which hosts have URLs that are due."""

from __future__ import annotations

import datetime
from typing import Any

from configured import settings_with

from aggregator.model.kinds import UPSTREAM_KINDS
from aggregator.model.polls import UrlState
from aggregator.origins.from_settings import upstream_origins
from aggregator.origins.parsers.readers import Readers
from aggregator.poll.due_hosts import DueHosts, due_hosts
from aggregator.store import urls
from aggregator.store.database import Store
from aggregator.store.origins import origin_rules

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
FEEDS = [f"https://{host}.example.org/{path}" for host in "ab" for path in (1, 2)]


def find(store: Store, now: datetime.datetime = NOW, **sections: Any) -> DueHosts:
    settings = settings_with(**sections)
    with Readers() as readers, store.transaction() as connection:
        origins = upstream_origins(settings, readers, UPSTREAM_KINDS.keys())
        return due_hosts(connection, origins, now)


def save(store: Store, url: str, **state: Any) -> None:
    with store.transaction() as connection:
        urls.save(connection, f"subscriptions:{url}", [UrlState(url, **state)])


def test_urls_that_were_never_requested_are_due_by_host(store: Store) -> None:
    found, *_ = find(store, subscriptions=[{"url": url} for url in FEEDS])
    assert found == {
        "a.example.org": [(f"subscriptions:{url}", url) for url in FEEDS[:2]],
        "b.example.org": [(f"subscriptions:{url}", url) for url in FEEDS[2:]],
    }


def test_what_is_not_due_or_gone_is_left_out(store: Store) -> None:
    save(store, FEEDS[0], next_at=NOW + HOUR)
    save(store, FEEDS[1], next_at=NOW - HOUR)
    save(store, FEEDS[2], next_at=NOW - HOUR, is_gone=True)
    # It was requested in the future: the clock was set back since.
    save(store, FEEDS[3], next_at=NOW + 9 * HOUR, requested_at=NOW + 8 * HOUR)
    found, *_ = find(store, subscriptions=[{"url": url} for url in FEEDS])
    assert [url for places in found.values() for _, url in places] == [FEEDS[1], FEEDS[3]]


def test_a_url_belongs_to_the_host_that_it_has_moved_to(store: Store) -> None:
    save(store, FEEDS[0], next_at=NOW, moved_to="https://new.example.org/1", moves=2)
    save(store, FEEDS[2], next_at=NOW, moved_to="https://new.example.org/2", moves=1)
    found, *_ = find(store, subscriptions=[{"url": FEEDS[0]}, {"url": FEEDS[2]}])
    assert list(found) == ["new.example.org", "b.example.org"]


def test_share_pages_are_due_by_the_host_of_their_text(store: Store) -> None:
    pages = [
        f"http://{host}.example.org/html_News/NewsShare.html?infoCode=NW{number:018d}"
        for number, host in enumerate("aab")
    ]
    found, *_ = find(store, shares=[{"urls": pages}])
    assert found == {
        "a.example.org": [("shares", page) for page in pages[:2]],
        "b.example.org": [("shares", pages[2])],
    }
    with store.transaction() as connection:
        assert origin_rules(connection, "shares") is not None


def test_a_file_of_urls_that_is_missing_stops_no_other_origin(store: Store) -> None:
    found = find(store, shares=[{"urls": ["file:none.txt"]}], subscriptions=[{"url": FEEDS[0]}])
    assert list(found.hosts) == ["a.example.org"]
    assert len(found.failures) == 1
    assert "none.txt: cannot be read" in found.failures[0]
