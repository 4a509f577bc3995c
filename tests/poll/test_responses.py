"""What a response says, and what is known of its URL from then on."""

import dataclasses
import datetime
import json

import pytest
from configured import settings_with

from aggregator.articles.sources import SourceKeys
from aggregator.fetch.pacing import Pace
from aggregator.model.errors import FetchError, PostponedError
from aggregator.model.polls import Response, UrlState, Validators
from aggregator.origins.from_settings import identity_rules
from aggregator.origins.lists import ListOrigin, from_settings
from aggregator.origins.parsers.readers import Readers
from aggregator.poll.responses import Outcome, outcome, parse

URL = "http://a.example/list"
NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
PACE = Pace(datetime.timedelta(minutes=30))
GOOD = {"records": [{"title": "T", "url_w": "/1"}]}
STATE = UrlState(URL, NOW)


@pytest.fixture
def origin() -> ListOrigin:
    settings = settings_with(lists=[{"url": URL, "shape": "records"}])
    (found,) = from_settings(settings, identity_rules(settings), Readers())
    return found


def answered(
    origin: ListOrigin, document: object = GOOD, status: int = 200, state: UrlState = STATE
) -> Outcome:
    body = None if status != 200 else json.dumps(document).encode() if document else b" "
    response = Response(URL, status, {}, body, Validators("e"))
    parsed = parse(origin, state, response, SourceKeys(), NOW)
    assert parsed.response.body is None
    return outcome(parsed, state, PACE, NOW)


def test_a_new_body_is_read_once(origin: ListOrigin) -> None:
    first = answered(origin)
    assert first.kind == "read"
    assert [copy.title for copy in first.reading.copies] == ["T"]
    assert first.state.validators.etag == "e"
    assert first.state.read_at == NOW
    again = answered(origin, state=first.state)
    assert (again.kind, again.reading.copies) == ("not modified", ())
    assert answered(origin, status=304, state=first.state).kind == "not modified"
    other = answered(origin, {"records": []}, state=first.state)
    assert other.kind == "read"


@pytest.mark.parametrize(
    ("document", "status", "reason"),
    [
        (None, 200, "an empty response"),
        ({"x": 1}, 200, "records finds nothing in the response"),
        (GOOD, 404, "status 404"),
        (
            GOOD,
            410,
            "status 410 (gone): not requested again; to try it once more: aggregator poll http://a.example/list",
        ),
        (GOOD, 304, "status 304, but the page was never read"),
    ],
)
def test_an_answer_that_cannot_be_used(
    origin: ListOrigin, document: object, status: int, reason: str
) -> None:
    found = answered(origin, document, status)
    assert (found.kind, found.problem) == ("failed", reason)
    assert found.state.failures == 1
    assert found.state.error == reason
    assert found.state.is_gone is (status == 410)
    assert found.state.validators == Validators()


def test_a_page_that_is_read_by_other_rules_is_no_correction(origin: ListOrigin) -> None:
    first = answered(origin)
    assert [copy.is_reread for copy in first.reading.copies] == [False]
    # As after a change of the rules.
    forgotten = dataclasses.replace(first.state, content_hash=b"", validators=Validators())
    again = answered(origin, state=forgotten)
    assert [copy.is_reread for copy in again.reading.copies] == [True]
    assert [copy.is_reread for copy in answered(origin, state=again.state).reading.copies] == []


def test_after_a_failure_the_same_body_is_read_again(origin: ListOrigin) -> None:
    first = answered(origin)
    failed = answered(origin, status=500, state=first.state)
    assert failed.state.content_hash == first.state.content_hash
    again = answered(origin, state=failed.state)
    assert (again.kind, len(again.reading.copies), again.state.error) == ("read", 1, None)
    unmodified = answered(origin, status=304, state=failed.state)
    assert (unmodified.kind, unmodified.is_over) == ("not modified", True)


def test_a_defect_of_an_origin_costs_one_answer(origin: ListOrigin) -> None:
    origin._fields = {"title": "length(title)", "url": None}  # type: ignore[assignment]
    origin.list = None  # type: ignore[assignment]
    found = answered(origin)
    assert found.kind == "failed"
    assert found.problem is not None
    assert found.problem.startswith("it cannot be read (AttributeError: ")


@pytest.mark.parametrize(("was_sent", "kind"), [(True, "failed"), (False, "refused")])
def test_no_answer_at_all(was_sent: bool, kind: str) -> None:
    found = outcome(FetchError(URL, "cut off", was_sent=was_sent), STATE, PACE, NOW)
    assert (found.kind, found.problem, found.state.failures) == (kind, "cut off", 1)


def test_a_url_that_has_to_wait_has_not_failed() -> None:
    error = PostponedError(URL, "429", wait=60)
    found = outcome(error, STATE, PACE, NOW)
    assert (found.kind, found.state.failures, found.state.error) == ("postponed", 0, None)
    assert found.state.next_at == NOW + datetime.timedelta(seconds=60)
    late = dataclasses.replace(STATE, next_at=NOW + datetime.timedelta(hours=1))
    assert outcome(error, late, PACE, NOW).state == late
