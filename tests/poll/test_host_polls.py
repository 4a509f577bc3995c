"""Polls by host, against servers on this machine."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from configured import settings_with
from fetching import limited
from upstream import Upstream, send
from waiting import wait_for

from aggregator.config.schema import Settings
from aggregator.fetch.pacing import BELIEVED_MOVES
from aggregator.fetch.session import host_of
from aggregator.model.errors import StoreError
from aggregator.model.kinds import UPSTREAM_KINDS
from aggregator.model.polls import UrlState
from aggregator.origins.from_settings import upstream_origins
from aggregator.origins.parsers.readers import Readers
from aggregator.poll.due_hosts import Place
from aggregator.poll.host_polls import HostJob, HostPolls, Saved
from aggregator.poll.ingest import MergeRules
from aggregator.store import urls
from aggregator.store.articles import count_articles
from aggregator.store.database import Store
from aggregator.store.origins import start_poll
from aggregator.store.problems import open_problems

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)


class Polling:
    """Polls in a thread of their own, and what came of them."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.saved: list[Saved] = []
        self.ended: dict[str, float | Exception] = {}
        self.error: Exception | None = None
        self.may_send = True
        self._store, self._settings = store, settings
        self._is_made = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self._is_made.wait(20)

    def _run(self) -> None:
        with Readers() as readers, limited(1, "50ms") as fetcher:
            with self._store.transaction() as connection:
                start_poll(connection)
            self.polls = HostPolls(
                self._store.transaction,
                self._store.reading,
                fetcher,
                upstream_origins(self._settings, readers, UPSTREAM_KINDS.keys()),
                MergeRules.of(self._settings),
                {},
                lambda: NOW,
                self.saved.append,
                lambda: self.may_send,
            )
            self._is_made.set()
            try:
                self.polls.run(lambda: None)
            except StoreError as error:
                self.error = error

    def submit(self, *places: Place, host: str | None = None) -> None:
        name = host or host_of(places[0][1])

        def finished(outcome: float | Exception) -> None:
            self.ended[name] = outcome

        self.polls.submit(HostJob(name, places, finished))

    def stop(self) -> None:
        self.polls.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def upstreams() -> Iterator[list[Upstream]]:
    found = [Upstream(f"127.0.0.{number}") for number in (2, 3)]
    yield found
    for one in found:
        one.close()


def listed(upstream: Upstream, path: str = "/list", **more: Any) -> tuple[str, dict[str, Any]]:
    """A list endpoint of one article; its URL, and its section."""
    item = {"title": "T", "url_w": f"http://news.example/{upstream.host}{path}"}
    url = upstream.document(path, {"records": [item], **more})
    return url, {"url": url, "shape": "records", "robots": False}


def articles(store: Store) -> int:
    with store.reading() as connection:
        return count_articles(connection)


def test_hosts_are_polled_and_saved_together(store: Store, upstreams: list[Upstream]) -> None:
    (one, first), (two, second) = (listed(upstream) for upstream in upstreams)
    polling = Polling(store, settings_with(lists=[first, second]))
    polling.submit((f"lists:{one}", one))
    polling.submit((f"lists:{two}", two))
    wait_for(lambda: len(polling.ended) == 2)
    polling.stop()
    assert articles(store) == 2
    assert all(isinstance(seconds, float) for seconds in polling.ended.values())
    summaries = [origin for saved in polling.saved for origin in saved.origins]
    assert sorted(origin.new for origin in summaries) == [1, 1]


def test_what_is_not_due_any_more_is_not_requested(store: Store, upstreams: list[Upstream]) -> None:
    """A job is a hint, and may come late or twice."""
    url, section = listed(upstreams[0])
    later = UrlState(url, NOW + datetime.timedelta(hours=1))
    with store.transaction() as connection:
        urls.save(connection, f"lists:{url}", [later])
    polling = Polling(store, settings_with(lists=[section]))
    polling.submit((f"lists:{url}", url))
    wait_for(lambda: polling.ended)
    polling.submit(("lists:https://unknown.example.org/", "https://unknown.example.org/"))
    wait_for(lambda: len(polling.ended) == 2)
    polling.stop()
    assert upstreams[0].asked == []


def test_a_url_of_another_host_is_left_to_that_hosts_job(
    store: Store, upstreams: list[Upstream]
) -> None:
    (one, first), (two, second) = (listed(upstream) for upstream in upstreams)
    polling = Polling(store, settings_with(lists=[first, second]))
    polling.submit((f"lists:{one}", one), (f"lists:{two}", two))
    wait_for(lambda: polling.ended)
    polling.stop()
    assert upstreams[0].count("/list") == 1
    assert upstreams[1].asked == []


def test_a_url_that_moved_before_its_job_is_requested_by_the_job_of_its_new_host(
    store: Store, upstreams: list[Upstream]
) -> None:
    (old, section), (new, _) = (listed(upstream) for upstream in upstreams)
    place = (f"lists:{old}", old)
    with store.transaction() as connection:
        urls.save(connection, place[0], [UrlState(old, NOW, moved_to=new, moves=BELIEVED_MOVES)])
    polling = Polling(store, settings_with(lists=[section]))
    polling.submit(place)
    wait_for(lambda: upstreams[0].host in polling.ended)
    polling.submit(place, host=upstreams[1].host)
    wait_for(lambda: upstreams[1].host in polling.ended)
    polling.stop()
    assert upstreams[0].asked == []
    assert upstreams[1].count("/list") == 1
    assert articles(store) == 1


def test_pages_follow_and_those_of_another_host_become_a_job(
    store: Store, upstreams: list[Upstream]
) -> None:
    elsewhere, _ = listed(upstreams[1], "/3")
    listed(upstreams[0], "/2", next=elsewhere)
    url, section = listed(upstreams[0], "/1", next="/2")
    polling = Polling(store, settings_with(lists=[{**section, "next": "next"}]))
    polling.submit((f"lists:{url}", url))
    wait_for(lambda: any(saved.elsewhere for saved in polling.saved))
    (found,) = [saved.elsewhere for saved in polling.saved if saved.elsewhere]
    assert found == {upstreams[1].host: [(f"lists:{url}", elsewhere)]}
    polling.submit(*found[upstreams[1].host])
    wait_for(lambda: len(polling.ended) == 2)
    polling.stop()
    assert articles(store) == 3


def test_a_host_that_does_not_answer_pauses(store: Store, upstreams: list[Upstream]) -> None:
    def busy(handler: Any) -> None:
        send(handler, 503, headers={"Retry-After": "120"})

    sections = []
    for number in range(3):
        _, section = listed(upstreams[0], f"/{number}")
        upstreams[0].answers[f"/{number}"] = busy
        sections.append(section)
    polling = Polling(store, settings_with(lists=sections))
    polling.submit(*((f"lists:{section['url']}", section["url"]) for section in sections))
    wait_for(lambda: polling.ended)
    polling.stop()
    assert len(upstreams[0].asked) == 1
    with store.reading() as connection:
        states = [state for _, state in urls.all_states(connection)]
    assert all(state.next_at >= NOW + datetime.timedelta(seconds=60) for state in states)


def test_a_bad_document_is_a_problem_and_the_others_are_read(
    store: Store, upstreams: list[Upstream]
) -> None:
    good, section = listed(upstreams[0], "/good")
    bad = upstreams[0].document("/bad", b"{", "application/json")
    polling = Polling(store, settings_with(lists=[section, {**section, "url": bad}]))
    polling.submit((f"lists:{bad}", bad), (f"lists:{good}", good))
    wait_for(lambda: polling.ended)
    polling.stop()
    assert articles(store) == 1
    with store.reading() as connection:
        (problem,) = [problem for _, problem, _ in open_problems(connection)]
    assert problem.location == bad


def test_nothing_is_sent_once_the_hosts_belong_to_others(
    store: Store, upstreams: list[Upstream]
) -> None:
    url, section = listed(upstreams[0])
    polling = Polling(store, settings_with(lists=[section]))
    polling.may_send = False
    polling.submit((f"lists:{url}", url))
    polling.thread.join(20)
    assert upstreams[0].asked == []
    assert polling.error is None
    assert isinstance(polling.ended[upstreams[0].host], StoreError)


def test_a_job_that_comes_after_the_end_is_refused(store: Store, upstreams: list[Upstream]) -> None:
    url, section = listed(upstreams[0])
    polling = Polling(store, settings_with(lists=[section]))
    polling.stop()
    polling.submit((f"lists:{url}", url))
    assert isinstance(polling.ended[upstreams[0].host], StoreError)
    assert upstreams[0].asked == []


def test_stopping_saves_what_was_sent(store: Store, upstreams: list[Upstream]) -> None:
    url, section = listed(upstreams[0])
    answers, is_asked = threading.Event(), threading.Event()
    document = upstreams[0].documents["/list"][1]

    def slow(handler: Any) -> None:
        is_asked.set()
        answers.wait(20)
        send(handler, 200, document, "application/json")

    upstreams[0].answers["/list"] = slow
    polling = Polling(store, settings_with(lists=[section]))
    polling.submit((f"lists:{url}", url))
    assert is_asked.wait(20)
    polling.polls.stop()
    answers.set()
    polling.thread.join(20)
    assert articles(store) == 1
