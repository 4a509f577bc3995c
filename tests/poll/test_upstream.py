"""One poll of the upstream, against a server on this machine."""

import datetime
import json
from typing import Any

import pytest
from configured import settings_with
from fetching import limited
from upstream import Upstream, send

from aggregator.model.summaries import OriginSummary
from aggregator.origins.from_settings import upstream_origins
from aggregator.origins.parsers.readers import Readers
from aggregator.poll import origin_poll
from aggregator.poll import upstream as polls
from aggregator.poll.ingest import MergeRules
from aggregator.poll.origin_poll import Scope
from aggregator.store import urls
from aggregator.store.articles import count_articles
from aggregator.store.database import Store
from aggregator.store.problems import open_problems

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def item(number: int) -> dict[str, str]:
    return {"title": f"T{number}", "url_w": f"http://news.example/{number}"}


def poll(
    store: Store,
    url: str,
    now: datetime.datetime = NOW,
    scope: Scope = Scope(),  # noqa: B008
    *,
    number: int = 1,
    sends: bool = True,
    **section: Any,
) -> OriginSummary:
    lists = [{"url": url, "shape": "records", "robots": False, **section}]
    settings = settings_with(lists=lists)
    with Readers() as readers, limited() as fetcher:
        (summary,) = polls.poll(
            store.transaction,
            fetcher if sends else None,
            upstream_origins(settings, readers, ["lists"]),
            MergeRules.of(settings),
            {},
            number,
            lambda: now,
            scope,
        )
    return summary


def reasons(store: Store) -> list[str]:
    with store.transaction() as connection:
        return [problem.reason for _, problem, _ in open_problems(connection)]


def test_a_list_is_read_when_it_is_due_and_no_sooner(store: Store, upstream: Upstream) -> None:
    url = upstream.document("/list", {"records": [item(1), item(2)]})
    first = poll(store, url)
    assert (first.requested, first.read, first.new, first.due) == (1, 1, 2, [url])
    assert poll(store, url, NOW).due == []
    later = poll(store, url, NOW + HOUR)
    assert (later.requested, later.not_modified, later.read) == (1, 1, 0)
    assert poll(store, url, NOW + HOUR, Scope(everything=True)).requested == 1
    assert poll(store, url, NOW + HOUR, Scope(only=frozenset({url}))).requested == 1
    assert poll(store, url, NOW + HOUR, Scope(only=frozenset({"http://x.example/"}))).due == []


def test_without_a_fetcher_it_is_only_said_what_is_due(store: Store, upstream: Upstream) -> None:
    url = upstream.document("/list", {"records": [item(1)]})
    summary = poll(store, url, sends=False)
    assert (summary.due, summary.requested, upstream.asked) == ([url], 0, [])


def test_the_next_pages_follow_and_end(store: Store, upstream: Upstream) -> None:
    for page in (1, 2, 3):
        upstream.document(
            f"/{page}", {"records": [item(page)], "next": f"/{page + 1 if page < 3 else 2}"}
        )
    summary = poll(store, f"{upstream.url}/1", next="next")
    assert (summary.requested, summary.new) == (3, 3)
    assert upstream.counts() == {"/1": 1, "/2": 1, "/3": 1}


def test_a_list_without_end_is_stopped(
    store: Store, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin_poll, "MAX_PAGES", 4)

    def answer(handler: Any) -> None:
        page = int(handler.path[1:])
        send(handler, 200, json.dumps({"records": [], "next": f"/{page + 1}"}).encode())

    upstream.answers |= {f"/{page}": answer for page in range(9)}
    summary = poll(store, f"{upstream.url}/0", next="next")
    assert summary.requested == 4
    assert reasons(store) == ["its list goes on after 4 pages: stopped there"]


def test_an_origin_of_which_nothing_could_be_read_has_failed(
    store: Store, upstream: Upstream
) -> None:
    url = f"{upstream.url}/list"
    summary = poll(store, url)
    (failure,) = summary.failures
    assert failure == f"lists:{url}: none of 1 could be read: {url}: status 404"
    assert reasons(store) == ["status 404"]
    upstream.document("/list", {"records": [item(1)]})
    summary = poll(store, url, NOW + datetime.timedelta(days=1))
    assert (summary.read, summary.failures, reasons(store)) == (1, [], [])


def test_other_rules_have_everything_read_again(store: Store, upstream: Upstream) -> None:
    url = upstream.document("/list", {"records": [item(1)]})
    poll(store, url)
    again = poll(store, url, NOW + HOUR, source="x")
    assert (again.read, again.not_modified) == (1, 0)


def test_too_many_new_entries_are_left_for_the_next_polls(
    store: Store, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin_poll, "MAX_NEW_ENTRIES", 3)
    url = upstream.document("/list", {"records": [item(number) for number in range(5)]})
    counts = []
    for number in (1, 2, 3):
        poll(store, url, NOW + number * HOUR, number=number)
        with store.transaction() as connection:
            counts.append(count_articles(connection))
    assert counts == [3, 5, 5]
    assert reasons(store) == []


def test_a_url_that_is_no_longer_polled_is_no_problem(store: Store, upstream: Upstream) -> None:
    url = f"{upstream.url}/list"
    poll(store, url)
    with store.transaction() as connection:
        assert urls.totals(connection)[f"lists:{url}"].failing == 1
    refused = poll(store, "http://10.0.0.1/list")
    assert refused.skipped == {"refused: 10.0.0.1 is not a public address": 1}
    assert refused.failed == 0
