"""One origin in a poll: what is due, and what is saved together."""

import datetime

from configured import settings_with
from merging import NOW, apply, code_of, copy

from aggregator.model.errors import FetchError
from aggregator.model.polls import Batch
from aggregator.model.summaries import OriginSummary
from aggregator.origins.from_settings import upstream_origins
from aggregator.origins.parsers.readers import Readers
from aggregator.poll.origin_poll import OriginPoll, Scope
from aggregator.store import urls
from aggregator.store.database import Store

LIST = "http://a.example/list"
SHARE = "http://a.example/html_News/NewsShare.html?infoCode="


def begun(store: Store, kind: str, scope: Scope = Scope()) -> OriginPoll:  # noqa: B008
    settings = settings_with(lists=[{"url": LIST, "shape": "records"}])
    with Readers() as readers:
        (origin,) = upstream_origins(settings, readers, [kind])
    poll = OriginPoll(origin, OriginSummary(name=origin.name))
    with store.transaction() as connection:
        poll.begin(connection, scope, NOW)
    return poll


def test_a_failure_is_saved_with_the_state_of_its_url(store: Store) -> None:
    poll = begun(store, "lists")
    (request,) = poll.requests(NOW)
    assert request.key == (f"lists:{LIST}", LIST)
    assert poll.batch() is None
    poll.receive(store.transaction, LIST, FetchError(LIST, "refused: x"), NOW)
    found = poll.batch()
    assert found is not None
    batch, _ = found
    assert [problem.reason for problem in batch.problems] == ["refused: x"]
    assert [(state.url, state.failures) for state in batch.urls] == [(LIST, 1)]
    assert poll.batch() is None
    poll.finish()
    assert poll.summary.failures == [f"lists:{LIST}: none of 1 could be read: {LIST}: refused: x"]


def test_only_what_is_named_is_requested(store: Store) -> None:
    assert list(begun(store, "lists", Scope(only=frozenset({"http://b.example/"}))).due) == []
    assert list(begun(store, "lists", Scope(only=frozenset({LIST}))).due) == [LIST]


def test_share_pages_that_another_origin_names_are_added_if_they_are_due(store: Store) -> None:
    poll = begun(store, "shares")
    assert poll.due == {}
    page, old = SHARE + code_of(1), SHARE + code_of(2)
    copies = (
        copy("1", "短", "lists", code_of(1), share_url=page, published=NOW),
        copy("2", "短", "lists", code_of(2), share_url=old, published=NOW - datetime.timedelta(9)),
    )
    batch = Batch("lists", copies=copies)
    apply(store, batch)
    with store.transaction() as connection:
        (request,) = poll.add_pages(connection, batch, NOW)
        assert request.key == ("shares", page)
        assert poll.add_pages(connection, batch, NOW) == []
        urls.fetch_soon(connection, "shares", [old], NOW)
        (request,) = poll.add_pages(connection, Batch("lists", pages=(old,)), NOW)
    assert request.key == ("shares", old)
