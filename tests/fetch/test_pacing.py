"""When a URL is requested again: the pace, Retry-After, freshness, moves and validators."""

import datetime
import email.utils
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import pacing
from aggregator.model.polls import Response, UrlState, Validators

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
PACE = pacing.Pace(30 * MINUTE, 2 * 60 * MINUTE)


def state(**values: Any) -> UrlState:
    return UrlState("http://a.example/", NOW, **values)


def response(status: int = 200, moved_to: str | None = None, **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response("http://a.example/", status, fields, b"", Validators("e"), moved_to)


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
    broken = pacing.after_failure(three, "status 500", PACE, NOW, response(500))
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
