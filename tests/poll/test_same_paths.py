"""Posts with one path in two folders."""

import dataclasses

import pytest
from merging import NOW, RULES, copy

from aggregator.model.articles import Copy
from aggregator.model.polls import Batch
from aggregator.poll import ingest
from aggregator.poll.same_paths import told_apart
from aggregator.store.database import Store

FOLDERS = {"posts:a": "a", "posts:b": "./b/"}
RULES_OF_BOTH = dataclasses.replace(RULES, folders=FOLDERS)


def post(origin: str, title: str, text: str) -> Copy:
    return copy("1.md", text, origin, "posts/1", title=title, source="")


def codes(store: Store, batch: Batch) -> tuple[list[str], list[str]]:
    """The codes of a batch's copies, and its problems."""
    with store.transaction() as connection:
        found = told_apart(connection, batch, FOLDERS)
    return [copy.code for copy in found.copies], [problem.reason for problem in found.problems]


@pytest.fixture
def known(store: Store) -> Store:
    """A store with the post of the first folder."""
    first = Batch("posts:a", copies=(post("posts:a", "A", "x"),))
    with store.transaction() as connection:
        ingest.apply(connection, first, RULES_OF_BOTH, 1, NOW)
    return store


def test_a_post_with_another_title_and_text_is_another_article(known: Store) -> None:
    (code,), (problem,) = codes(known, Batch("posts:b", copies=(post("posts:b", "B", "y"),)))
    assert code == "posts/b//1"
    assert "both are published" in problem


@pytest.mark.parametrize(("title", "text"), [("A", "y"), ("B", "x")])
def test_title_or_text_make_it_the_same(known: Store, title: str, text: str) -> None:
    batch = Batch("posts:b", copies=(post("posts:b", title, text),))
    assert codes(known, batch) == (["posts/1"], [])


def test_posts_of_other_origins_and_with_codes_are_left(known: Store) -> None:
    batch = Batch("posts:c", copies=(post("posts:c", "B", "y"),))
    assert codes(known, batch) == (["posts/1"], [])
    batch = Batch("posts:b", copies=(copy("1.md", "y", "posts:b", title="B"),))
    assert codes(known, batch) == ([batch.copies[0].code], [])


def test_an_article_of_its_own_stays_one(known: Store) -> None:
    batch = Batch("posts:b", copies=(post("posts:b", "B", "y"),))
    with known.transaction() as connection:
        ingest.apply(connection, batch, RULES_OF_BOTH, 2, NOW)
    (code,), (_,) = codes(known, Batch("posts:b", copies=(post("posts:b", "A", "x"),)))
    assert code == "posts/b//1"
