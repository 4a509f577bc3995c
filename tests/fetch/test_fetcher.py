"""How politely the upstream is asked: when, how often, how many at once."""

import datetime
import email.utils
import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hostile_server import HostileServer, sends, whole
from hypothesis import given
from hypothesis import strategies as st
from upstream import Upstream, send

from aggregator.articles import sources
from aggregator.config.schema import Fetch
from aggregator.fetch import pacing
from aggregator.fetch.fetcher import Fetcher
from aggregator.fetch.per_host import HostQueue
from aggregator.model.errors import FetchError, PostponedError
from aggregator.model.polls import Request, Response, UrlState, Validators

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
PACE = pacing.Pace(30 * MINUTE, 2 * 60 * MINUTE)


def state(**values: Any) -> UrlState:
    return UrlState("http://a.example/", NOW, **values)


def response(status: int = 200, moved_to: str | None = None, **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response("http://a.example/", status, fields, b"", Validators("e"), moved_to)


def limited(per_host: int = 4, delay: str = "0s", **values: Any) -> Fetcher:
    """A fetcher that may reach this machine, with limits of each host and of all."""
    limits = {
        "timeout": "3s",
        "per_host": {"concurrency": per_host, "delay": delay},
        "allow_private_addresses": ["127.0.0.0/8"],
        **values,
    }
    return Fetcher(Fetch.model_validate(limits), "test/1")


def answers(fetcher: Fetcher, *urls: str, robots: bool = False) -> dict[str, Any]:
    requests = [Request(url, heed_robots=robots) for url in urls]
    return {
        request.url: answer
        for request, answer in fetcher.fetch_all(requests, lambda _, found: found)
    }


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.close()


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    server = HostileServer()
    yield server
    server.close()


@given(st.integers(0, 60), st.floats(0, 1), st.integers(1, 10**6))
def test_failures_double_the_wait_up_to_a_day(failures: int, jitter: float, every: int) -> None:
    pace = pacing.Pace(datetime.timedelta(seconds=every))
    one = pacing.wait_after_failure(failures, {}, pace, NOW, jitter)
    two = pacing.wait_after_failure(failures + 1, {}, pace, NOW, jitter)
    ceiling = max(pacing.LONGEST_WAIT, pace.every)
    assert one <= two <= ceiling
    doubled = abs(two - 2 * one) < datetime.timedelta(milliseconds=1)
    assert doubled or two >= 0.74 * ceiling or failures == 0


@given(st.one_of(st.integers(-(10**12), 10**12).map(str), st.text(max_size=40)))
def test_60_a_pause_is_a_day_at_most_whatever_is_asked(value: str) -> None:
    found = pacing.retry_after({"retry-after": value}, NOW)
    assert found is None or datetime.timedelta(0) <= found <= datetime.timedelta(hours=24)
    assert pacing.retry_after({"retry-after": "1000000000"}, NOW) == datetime.timedelta(hours=24)


def test_both_forms_of_retry_after() -> None:
    until = email.utils.format_datetime(NOW + 7 * MINUTE, usegmt=True)
    assert pacing.retry_after({"retry-after": until}, NOW) == 7 * MINUTE
    assert pacing.retry_after({"retry-after": "420"}, NOW) == 7 * MINUTE
    past = email.utils.format_datetime(NOW - 7 * MINUTE, usegmt=True)
    assert pacing.retry_after({"retry-after": past}, NOW) == datetime.timedelta(0)


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({}, 30),
        ({"cache_control": "max-age=3600"}, 60),
        ({"cache_control": "public, max-age=3600", "age": "600"}, 50),
        ({"cache_control": "max-age=60"}, 30),
        ({"cache_control": "max-age=99999999"}, 120),
        ({"cache_control": "no-cache, max-age=3600"}, 30),
        ({"expires": email.utils.format_datetime(NOW + 45 * MINUTE, usegmt=True)}, 45),
        ({"expires": "0"}, 30),
    ],
)
def test_what_stays_fresh_is_left_alone(headers: dict[str, str], minutes: int) -> None:
    wait = pacing.wait_after_success(response(**headers).headers, PACE, NOW, 1.0)
    assert 0.95 * minutes * MINUTE <= wait <= minutes * MINUTE


def test_a_schedule_as_long_as_the_pace_skips_no_round() -> None:
    for name in range(50):
        after = pacing.after_success(
            UrlState(f"http://a.example/{name}", NOW), response(), PACE, NOW, b"1"
        )
        assert NOW + 0.85 * PACE.every <= after.next_at < NOW + PACE.every


def test_a_permanent_move_is_believed_the_second_time() -> None:
    there = "http://b.example/"
    one = pacing.after_success(state(), response(moved_to=there), PACE, NOW, b"1")
    assert pacing.request(one, one.url, NOW).url == one.url
    two = pacing.after_success(one, response(moved_to=there), PACE, NOW, b"1")
    assert pacing.request(two, two.url, NOW).url == there
    three = pacing.after_success(two, response(), PACE, NOW, b"1")
    assert pacing.request(three, three.url, NOW).url == there
    broken = pacing.after_failure(three, "answered 500", PACE, NOW, response(500))
    assert pacing.request(broken, broken.url, NOW).url == broken.url


def test_validators_are_left_out_now_and_then_and_where_nothing_was_read() -> None:
    known = state(validators=Validators("e"), content_hash=b"1", read_at=NOW)
    assert pacing.request(known, known.url, NOW).validators.etag == "e"
    late = NOW + datetime.timedelta(days=8)
    assert pacing.request(known, known.url, late).validators.etag is None
    assert pacing.request(state(validators=Validators("e")), "x", NOW).validators.etag is None


def test_410_ends_it() -> None:
    gone = pacing.after_failure(state(), "gone", PACE, NOW, response(410))
    assert not pacing.is_due(gone, NOW + datetime.timedelta(days=99), ask_all=True)


def test_a_validator_of_a_failure_is_not_kept() -> None:
    known = state(validators=Validators("good"), content_hash=b"1", read_at=NOW)
    after = pacing.after_failure(known, "a login page", PACE, NOW, response())
    assert after.validators == Validators("good")
    assert after.content_hash == b"1"


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.integers(1, 3))
def test_a_host_has_so_many_at_once_and_so_far_apart(hosts: list[str], at_once: int) -> None:
    queue: HostQueue[int] = HostQueue(at_once, 5.0, lambda: 1.0)
    for number, host in enumerate(hosts):
        assert queue.add(host, number) is None
    now, running, starts, seen = 0.0, [], {}, []
    while len(seen) < len(hosts):
        taken = queue.take(now)
        if isinstance(taken, tuple):
            host, number = taken
            assert now - starts.get(host, -5.0) >= 5.0
            starts[host] = now
            running.append(host)
            seen.append(number)
            assert running.count(host) <= at_once
        elif taken is None:
            assert queue.done(running.pop(0), answered=True) == []
        else:
            assert taken > 0
            now += taken
    assert sorted(seen) == list(range(len(hosts)))
    assert queue.size == 0


def test_a_host_that_does_not_answer_is_given_up_and_no_other() -> None:
    queue: HostQueue[int] = HostQueue(1, 0.0, lambda: 1.0)
    for number in range(10):
        queue.add("a", number)
    queue.add("b", 99)
    given_up: list[int] = []
    for _ in range(3):
        taken = queue.take(0.0)
        assert isinstance(taken, tuple)
        if taken[0] == "b":
            queue.done("b", answered=True)
            taken = queue.take(0.0)
            assert isinstance(taken, tuple)
        given_up += queue.done("a", answered=False)
    assert given_up == list(range(3, 10))
    assert queue.add("a", 5) is not None


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
        requests = [Request(url, heed_robots=False) for url in slow + quick]
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


def test_robots_txt(upstream: Upstream) -> None:
    upstream.document("/robots.txt", b"User-agent: aggregator\nDisallow: /closed\n", "text/plain")
    upstream.document("/open", b"gut")
    upstream.document("/closed/x", b"gut")
    with limited() as fetcher:
        found = answers(fetcher, f"{upstream.url}/open", f"{upstream.url}/closed/x", robots=True)
        assert found[f"{upstream.url}/open"].body == b"gut"
        assert found[f"{upstream.url}/closed/x"].reason == "disallowed by robots.txt"
        assert not found[f"{upstream.url}/closed/x"].was_sent
        unheeded = answers(fetcher, f"{upstream.url}/closed/x")
    assert unheeded[f"{upstream.url}/closed/x"].body == b"gut"
    assert upstream.counts()["/robots.txt"] == 1


def test_robots_txt_that_cannot_be_read_closes_all_for_now(upstream: Upstream) -> None:
    upstream.answers["/robots.txt"] = lambda handler: send(handler, 503)
    upstream.document("/open", b"gut")
    with limited() as fetcher:
        found = answers(fetcher, f"{upstream.url}/open", robots=True)
    assert found[f"{upstream.url}/open"].reason == "robots.txt could not be read: status 503"
    assert upstream.counts()["/open"] == 0


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "raw deflate"])
def test_content_codings(hostile: HostileServer, coding: str) -> None:
    import gzip
    import zlib

    import brotli

    from aggregator.model.packing import zstd

    text = "北京商报".encode() * 10_000
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "raw deflate": raw.compress(text) + raw.flush(),
        "br": brotli.compress(text),
        "zstd": zstd.compress(text),
    }[coding]
    header = f"Content-Encoding: {coding.split()[-1]}"
    hostile.answers["/x"] = sends(whole(200, packed, "text/plain", header))
    hostile.answers["/cut"] = sends(whole(200, packed[:-6], "text/plain", header))
    base = f"http://127.0.0.2:{hostile.port}"
    with limited() as fetcher:
        found = answers(fetcher, f"{base}/x", f"{base}/cut")
    assert found[f"{base}/x"].body == text
    assert found[f"{base}/cut"].reason in ("compressed, but cut off", "compressed, but damaged")
    with limited(max_bytes=f"{len(text) - 1}B") as fetcher:
        assert "more than the limit" in answers(fetcher, f"{base}/x")[f"{base}/x"].reason


def test_a_consumer_that_leaves_early_leaves_no_thread(upstream: Upstream) -> None:
    upstream.document("/x", b"gut")
    before = threading.active_count()
    with limited() as fetcher:
        run = fetcher.fetch_all(
            (Request(f"{upstream.url}/x", heed_robots=False) for _ in range(5000)),
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
        list(fetcher.fetch_all([Request(f"{upstream.url}/x", heed_robots=False)], read))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("北京商报", "beijingshangbao"),
        ("北京商报新闻", "beijingshangbao"),
        (" 华夏 时报 ", "huaxiashibao"),
        ("Reuters", "reuters"),
        ("Börse", "borse"),
        ("重庆日报", "chongqingribao"),
        ("", ""),
    ],
)
def test_a_source_by_its_sound(name: str, key: str) -> None:
    assert sources.SourceKeys().key_of(name) == key


def test_a_known_source_goes_before_its_sound() -> None:
    known = sources.SourceKeys({"北京商报": "bjsb"}, {"北京商报": "x", "华夏时报": "hxsb"})
    assert known.key_of("北京商报新闻") == "bjsb"
    assert known.key_of("华夏时报") == "hxsb"
