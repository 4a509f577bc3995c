"""Requests that are added while others are under way."""

from __future__ import annotations

import datetime
import threading
from typing import Any

from fetching import limited
from upstream import Upstream, send
from waiting import wait_for

from aggregator.fetch.session import host_of
from aggregator.model.errors import PostponedError
from aggregator.model.polls import Request, Response, RobotsFile

SOON = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)


def same(_: Request, response: Response) -> Response:
    return response


def request(url: str) -> Request:
    return Request(url, obey_robots=False)


def test_requests_can_be_added_at_any_time(upstream: Upstream) -> None:
    first, second = (upstream.document(f"/{name}", "text") for name in "ab")
    with limited() as fetcher:
        session = fetcher.session(same)
        assert session.add(request(first)) is None
        found = session.next(5)
        assert found is not None
        assert found[0].url == first
        assert session.outstanding == 0
        assert session.next(0.01) is None
        session.add(request(second))
        found = session.next(5)
        assert found is not None
        assert found[0].url == second
        session.stop()


def test_a_wait_can_be_ended() -> None:
    with limited() as fetcher:
        session = fetcher.session(same)
        threading.Timer(0.05, session.wake).start()
        assert session.next(20) is None
        session.stop()


def test_a_host_that_asked_for_a_pause_is_open_again_once_it_is_forgotten(
    upstream: Upstream,
) -> None:
    def busy(handler: Any) -> None:
        send(handler, 429, headers={"Retry-After": "600"})

    upstream.answers["/busy"] = busy
    url = f"{upstream.url}/busy"
    with limited() as fetcher:
        session = fetcher.session(same)
        session.add(request(url))
        assert session.next(5) is not None
        refused = session.add(request(url))
        assert isinstance(refused, PostponedError)
        assert refused.wait == 600
        session.forget(host_of(url))
        assert session.add(request(url)) is None
        session.stop()


def test_forgetting_a_host_says_when_others_may_request_from_it(upstream: Upstream) -> None:
    url = upstream.document("/a", "text")
    with limited(1, "10s") as fetcher:
        session = fetcher.session(same)
        session.add(request(url))
        assert session.next(5) is not None
        assert 5 < session.forget(host_of(url)) < 13
        assert session.forget("other.example.org") == 0
        session.stop()


def test_nothing_is_sent_while_that_is_forbidden(upstream: Upstream) -> None:
    url = upstream.document("/a", "text")
    is_allowed = threading.Event()
    with limited() as fetcher:
        session = fetcher.session(same, is_allowed.is_set)
        session.add(request(url))
        assert session.next(0.3) is None
        assert upstream.asked == []
        is_allowed.set()
        wait_for(lambda: upstream.asked)
        assert session.next(5) is not None
        session.stop()


def test_the_delay_of_a_known_robots_file_holds_from_the_first_request_on(
    upstream: Upstream,
) -> None:
    urls = [upstream.document(f"/{number}", "text") for number in range(2)]
    known = RobotsFile(upstream.url, "User-agent: *\nCrawl-delay: 30\n", SOON)
    with limited(4, robots=[known]) as fetcher:
        session = fetcher.session(same)
        for url in urls:
            session.add(Request(url))
        assert session.next(5) is not None
        assert session.next(0.3) is None
        assert len(upstream.asked) == 1
        session.stop()


def test_one_that_is_read_only_now_holds_from_its_request_on(upstream: Upstream) -> None:
    upstream.document("/robots.txt", "User-agent: *\nCrawl-delay: 30\n", "text/plain")
    url = upstream.document("/a", "text")
    with limited(1) as fetcher:
        session = fetcher.session(same)
        session.add(Request(url))
        assert session.next(5) is not None
        assert 25 < session.forget(host_of(url)) <= 30
        session.stop()
