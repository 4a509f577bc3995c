"""The numbers of `status`, `sources` and the page."""

import datetime

import pytest
from merging import NOW, apply, code_of, copy

from aggregator.model.articles import Problem
from aggregator.model.feeds import FeedSpec
from aggregator.model.polls import Batch, FileState
from aggregator.store import statistics
from aggregator.store.database import Store

DAY = datetime.timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0)


@pytest.fixture
def filled(store: Store) -> Store:
    copies = tuple(
        copy(f"{number}.md", str(number), "posts:b", code_of(number), source=source, published=date)
        for number, source, date in (
            (1, "a", MIDNIGHT - DAY),
            (2, "a", MIDNIGHT - datetime.timedelta(seconds=1)),
            (3, "a", MIDNIGHT),
            (4, "b", MIDNIGHT + 2 * DAY),
            (5, "b", MIDNIGHT),
        )
    )
    states = (FileState("1.md", 1, 1, 1, 1, b"x"),)
    problems = (Problem("x.md", "bad"), Problem("y.md", "bad"))
    apply(store, Batch("posts:b", copies=copies, states=states, problems=problems))
    revised = copy("1.md", "neu", "posts:b", code_of(1), published=MIDNIGHT - DAY)
    assert apply(store, Batch("posts:b", copies=(revised,)), 2, 1) == ["revised"]
    apply(store, Batch("posts:b", gone=("5.md",)), 3)
    return store


def test_totals(filled: Store) -> None:
    with filled.transaction() as connection:
        assert statistics.counts(connection) == {
            "articles": 4, "copies": 4, "superseded_texts": 1, "files": 1, "problems": 2
        }  # fmt: skip
        assert [item[:2] for item in statistics.articles_by_source(connection)] == [
            ("a", 3),
            ("b", 1),
        ]
        assert statistics.articles_by_source(connection)[1][2] == MIDNIGHT + 2 * DAY


def test_days_begin_where_they_are_said_to(filled: Store) -> None:
    with filled.transaction() as connection:
        found = statistics.daily_counts(connection, MIDNIGHT - DAY, 3)
        assert found == {"a": [2, 1, 0]}


def test_the_days_of_a_feed_are_those_of_its_zone(filled: Store) -> None:
    spec = FeedSpec("source:a", "a", "source", "a", 10)
    today = MIDNIGHT.date().toordinal()

    def days(hours: int, until: datetime.datetime) -> tuple[int, list[tuple[int, int]]]:
        offset = datetime.timedelta(hours=hours)
        with filled.transaction() as connection:
            return statistics.activity(connection, spec, MIDNIGHT - DAY, until, offset)

    assert days(0, NOW) == (3, [(today - 1, 2), (today, 1)])
    assert days(1, NOW) == (3, [(today - 1, 1), (today, 2)])
    assert days(0, MIDNIGHT - DAY) == (1, [(today - 1, 1)])
