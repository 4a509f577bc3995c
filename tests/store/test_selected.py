"""Which feeds by tag and by filter have which articles."""

import datetime

from merging import NOW, apply, code_of, copy

from aggregator.model.polls import Batch
from aggregator.store import selected
from aggregator.store.articles import articles_of
from aggregator.store.database import Store

LATER = NOW + datetime.timedelta(hours=1)


def select(store: Store, feeds: dict[str, list[str]]) -> None:
    with store.transaction() as connection:
        selected.replace(connection, feeds, articles_of(connection, feeds).values())


def test_an_article_is_in_its_feeds_and_in_no_other(store: Store) -> None:
    one, two = code_of(1), code_of(2)
    copies = (copy("1.md", "1", code=one), copy("2.md", "2", code=two, published=LATER))
    apply(store, Batch("posts:a", copies=copies))
    select(store, {one: ["tag:x", "extra:y"], two: ["tag:z"]})
    with store.transaction() as connection:
        assert selected.feeds_of(connection, [one, two]) == {
            one: {"tag:x", "extra:y"},
            two: {"tag:z"},
        }
        assert selected.shown_feeds(connection) == ["extra:y", "tag:x", "tag:z"]
        assert selected.feeds_due(connection, NOW, LATER) == {"tag:z"}
        assert selected.feeds_due(connection, LATER, 2 * (LATER - NOW) + LATER) == set()
        assert [(number, item.code) for number, item in selected.arrived(connection, 1, 9)] == [
            (2, two)
        ]
    select(store, {one: ["tag:z"]})
    with store.transaction() as connection:
        assert selected.feeds_of(connection, [one]) == {one: {"tag:z"}}


def test_a_selection_is_forgotten_with_its_feeds(store: Store) -> None:
    one = code_of(1)
    apply(store, Batch("posts:a", copies=(copy("1.md", "1", code=one),)))
    select(store, {one: ["tag:x", "tag:z", "extra:y", "extra:yy"]})
    done = {name: selected.Progress(b"r", 1) for name in ("tags", "y")}
    with store.transaction() as connection:
        selected.save_progress(connection, done)
        assert selected.progress(connection) == done
        assert selected.forget(connection, "y", "extra:y") == {"extra:y"}
        assert selected.shown_feeds(connection) == ["extra:yy", "tag:x", "tag:z"]
        assert selected.forget(connection, "tags", "tag:") == {"tag:x", "tag:z"}
        assert selected.progress(connection) == {}
        assert selected.shown_feeds(connection) == ["extra:yy"]
