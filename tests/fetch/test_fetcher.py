"""Many requests at once: how many to a host, how far apart, and what a pause holds back."""

import itertools
import threading
import time
from typing import Any

import pytest
from fetching import answers, limited
from hostile_server import HostileServer, sends, whole
from upstream import Upstream, send

from aggregator.model.errors import FetchError, PostponedError
from aggregator.model.polls import Request, Response


def test_at_most_so_many_requests_of_a_host_at_once(upstream: Upstream) -> None:
    running, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(3)

    def answer(handler: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(5)
        with lock:
            running -= 1
        send(handler, 200, b"x")

    urls = [f"{upstream.url}/{number}" for number in range(30)]
    upstream.answers |= {f"/{number}": answer for number in range(30)}
    with limited(3) as fetcher:
        found = answers(fetcher, *urls)
    assert all(answer.body == b"x" for answer in found.values())
    assert most == 3


def test_the_delay_between_two_requests(upstream: Upstream) -> None:
    starts: list[float] = []

    def answer(handler: Any) -> None:
        starts.append(time.monotonic())
        send(handler, 200, b"x")

    upstream.answers |= {f"/{number}": answer for number in range(5)}
    with limited(delay="0.2s") as fetcher:
        answers(fetcher, *(f"{upstream.url}/{number}" for number in range(5)))
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert min(gaps) > 0.12
    assert len(gaps) == 4


def test_108_slow_hosts_keep_no_other_waiting(hostile: HostileServer, upstream: Upstream) -> None:
    def silence(connection: Any) -> None:
        hostile.stopping.wait(20)

    hostile.answers["/slow"] = silence
    slow = [f"http://127.0.1.{host}:{hostile.port}/slow" for host in range(1, 9) for _ in range(9)]
    upstream.document("/x", b"gut")
    quick = [f"{upstream.url}/x"] * 20
    with limited(2, timeout="1s", concurrency=8) as fetcher:
        requests = [Request(url, obey_robots=False) for url in slow + quick]
        found = list(fetcher.fetch_all(requests, lambda _, answer: answer))
    good = [answer for _, answer in found if isinstance(answer, Response)]
    assert len(good) == 20
    asked = [answer for _, answer in found if isinstance(answer, FetchError) and answer.was_sent]
    assert len(asked) <= 8 * 4
    assert sum(isinstance(answer, PostponedError) for _, answer in found) == 72 - len(asked)


def test_a_host_whose_answers_are_of_no_use_does_answer(hostile: HostileServer) -> None:
    base = f"http://127.0.1.1:{hostile.port}"
    bad = {
        "/large": whole(200, b"0" * 2000),
        "/gzip": whole(200, b"no gzip", "text/plain", "Content-Encoding: gzip"),
        "/short": b"HTTP/1.1 200 X\r\nContent-Length: 9\r\nConnection: close\r\n\r\nx",
        "/none": b"SSH-2.0\r\n",
        "/loop": whole(302, b"", "text/plain", "Location: /loop"),
        "/away": whole(302, b"", "text/plain", "Location: file:///etc/passwd"),
    }
    hostile.answers |= {path: sends(answer) for path, answer in bad.items()}
    hostile.answers["/x"] = sends(whole(200, b"gut"))
    with limited(1, max_bytes="1000B") as fetcher:
        found = answers(fetcher, *(base + path for path in [*bad, "/x"]))
    assert found[f"{base}/x"].body == b"gut"
    assert all(found[base + path].was_answered for path in bad)


def test_a_pause_is_for_the_whole_host_and_for_no_other(hostile: HostileServer) -> None:
    hostile.answers["/429"] = sends(whole(429, b"", "text/plain", "Retry-After: 3600"))
    hostile.answers["/x"] = sends(whole(200, b"gut"))
    one, other = (f"http://127.0.1.{host}:{hostile.port}" for host in (1, 2))
    with limited(1, concurrency=2) as fetcher:
        found = answers(fetcher, f"{one}/429", f"{one}/x", f"{other}/x")
    assert found[f"{one}/429"].status == 429
    postponed = found[f"{one}/x"]
    assert isinstance(postponed, PostponedError)
    assert postponed.wait == 3600
    assert found[f"{other}/x"].body == b"gut"


def test_a_consumer_that_leaves_early_leaves_no_thread(upstream: Upstream) -> None:
    upstream.document("/x", b"gut")
    before = threading.active_count()
    with limited() as fetcher:
        run = fetcher.fetch_all(
            (Request(f"{upstream.url}/x", obey_robots=False) for _ in range(5000)),
            lambda _, found: found,
        )
        next(run)
        run.close()
        assert threading.active_count() - before <= 4  # those of the server
    assert len(upstream.asked) < 5000


def test_a_bug_while_reading_is_raised_where_it_is_seen(upstream: Upstream) -> None:
    upstream.document("/x", b"gut")

    def read(request: Request, found: Response) -> None:
        raise ZeroDivisionError

    with limited() as fetcher, pytest.raises(ZeroDivisionError):
        list(fetcher.fetch_all([Request(f"{upstream.url}/x", obey_robots=False)], read))


def test_what_is_left_after_some_seconds_comes_back_unsent(upstream: Upstream) -> None:
    for number in range(30):
        upstream.document(f"/{number}", b"gut")
    requests = [Request(f"{upstream.url}/{number}", obey_robots=False) for number in range(30)]
    with limited(1, delay="0.2s") as fetcher:
        found = dict(fetcher.fetch_all(iter(requests), lambda _, response: response, 0.5))
    assert set(found) == set(requests)
    left = [answer for answer in found.values() if isinstance(answer, PostponedError)]
    assert {answer.reason for answer in left} == {"left for the next poll"}
    assert 1 <= upstream.count("/") == 30 - len(left) < 10
