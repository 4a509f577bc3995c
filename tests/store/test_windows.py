"""Which articles a feed shows at a moment, and what is due when."""

import datetime

import pytest
from merging import NOW, apply, code_of, copy

from aggregator.model.feeds import FeedSpec
from aggregator.model.polls import Batch
from aggregator.store import selected, windows
from aggregator.store.articles import articles_of
from aggregator.store.database import Store

DAY = datetime.timedelta(days=1)
ALL = FeedSpec("all", "all", "all", "", 10)


@pytest.fixture
def filled(store: Store) -> Store:
    """Articles 1 and 2 of source a, 3 of source b; 4 is scheduled, 5 is removed."""
    copies = [
        copy(f"{number}.md", str(number), "posts:b", code_of(number), source=source, published=date)
        for number, source, date in (
            (1, "a", NOW - 2 * DAY),
            (2, "a", NOW - DAY),
            (3, "b", NOW),
            (4, "b", NOW + DAY),
            (5, "c", NOW),
        )
    ]
    apply(store, Batch("posts:b", copies=tuple(copies)))
    assert apply(store, Batch("posts:b", gone=("5.md",)), 2) == ["removed"]
    return store


def shown(store: Store, spec: FeedSpec, now: datetime.datetime = NOW) -> list[int]:
    with store.transaction() as connection:
        return [int(item.code[2:]) for item in windows.window_of(connection, spec, now)]


def test_a_window_is_newest_first_and_what_is_scheduled_waits(filled: Store) -> None:
    assert shown(filled, ALL) == [3, 2, 1]
    assert shown(filled, ALL, NOW + DAY) == [4, 3, 2, 1]
    assert shown(filled, FeedSpec("all", "all", "all", "", 2)) == [3, 2]
    assert shown(filled, FeedSpec("source:a", "a", "source", "a", 10)) == [2, 1]
    assert shown(filled, FeedSpec("source:c", "c", "source", "c", 10)) == []


def test_a_feed_of_a_tag_shows_what_was_selected(filled: Store) -> None:
    spec = FeedSpec("tag:x", "x", "tag", "x", 10)
    with filled.transaction() as connection:
        articles = articles_of(connection, [code_of(1), code_of(3)]).values()
        feeds = {code_of(1): ["tag:x"], code_of(3): ["tag:x", "tag:y"]}
        selected.replace(connection, feeds, articles)
    assert shown(filled, spec) == [3, 1]
    assert shown(filled, FeedSpec("tag:y", "y", "tag", "y", 10)) == [3]


def test_what_is_due(filled: Store) -> None:
    with filled.transaction() as connection:
        # The feed of the last one, whose article was removed, is known from what was published.
        assert windows.sources(connection) == ["a", "b"]
        assert windows.last_arrival(connection) == 5
        assert windows.next_due(connection, NOW) == NOW + DAY
        assert windows.next_due(connection, NOW + DAY) is None
        assert windows.sources_due(connection, NOW, NOW + DAY) == {"b"}
        assert windows.codes_due(connection, NOW, NOW + DAY) == [code_of(4)]
        assert windows.codes_due(connection, NOW + DAY, NOW + 2 * DAY) == []
