"""Articles, their revisions and their texts."""

import datetime
from pathlib import Path

from merging import NOW, apply, article, code_of, copy

from aggregator.model.articles import Article
from aggregator.model.packing import pack
from aggregator.model.polls import Batch
from aggregator.store.articles import (
    articles_of,
    bodies_of,
    count_articles,
    has_remembered,
    prune_bodies,
    remember,
    revisions_of,
    source_name,
    superseded,
)
from aggregator.store.database import Store


def test_texts_that_nothing_refers_to_are_pruned(address: Path | str) -> None:
    with Store(address) as store:
        for poll, text in enumerate(("<p>eins", "<p class=x>eins</p>", "zwei"), 1):
            apply(store, Batch("posts:a", copies=(copy("1.md", text),)), poll)
        with store.transaction() as connection:
            prune_bodies(connection)
            texts = bodies_of(connection, range(10))
        assert sorted(texts.values()) == sorted([pack("<p class=x>eins</p>"), pack("zwei")])


def test_the_revisions_of_an_article_with_their_dates(store: Store) -> None:
    apply(store, Batch("posts:a", copies=(copy("1.md", "eins", title="T1"),)))
    apply(store, Batch("posts:a", copies=(copy("1.md", "zwei", title="T2"),)), 2, 1)
    newest = article(store)
    later = NOW + datetime.timedelta(days=1)
    with store.transaction() as connection:
        found = revisions_of(connection, newest)
        assert [(one.number, one.title, one.text, one.seen_at) for one in found] == [
            (1, "T1", "eins", NOW),
            (2, "T2", "zwei", later),
        ]
        earlier = superseded(connection, [newest])
    assert list(earlier) == [(newest.code, 1)]
    assert (earlier[newest.code, 1].title, earlier[newest.code, 1].updated) == ("T1", None)


def test_a_source_has_the_name_of_its_newest_published_article(store: Store) -> None:
    day = datetime.timedelta(days=1)
    copies = [
        copy(f"{n}.md", "x", code=code_of(n), source_name=name, published=NOW + n * day)
        for n, name in ((-2, "alt"), (-1, "neu"), (1, "künftig"), (0, None))
        if n or name is None
    ]
    apply(store, Batch("posts:a", copies=tuple(copies)))
    with store.transaction() as connection:
        assert source_name(connection, "a", NOW) == "neu"
        assert source_name(connection, "a", NOW + day) == "künftig"
        assert source_name(connection, "b", NOW) is None
        assert count_articles(connection) == 4


def test_what_is_remembered_from_a_feed_is_no_article_to_publish(store: Store) -> None:
    known = Article(code_of(1), "", None, NOW, NOW, None, 0, 0)
    with store.transaction() as connection:
        assert not has_remembered(connection)
        remember(connection, [known])
        assert has_remembered(connection)
        assert count_articles(connection) == 0
        assert articles_of(connection, [code_of(1), code_of(2)]) == {code_of(1): known}
