"""What is shown of several copies, and what counts as an update."""

import datetime
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles import merge
from aggregator.model.articles import StoredCopy

NOW = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)


def facts(number: int, **changes: object) -> StoredCopy:
    values: dict[str, object] = {
        "body_id": number,
        "code": "NW202201272264567295",
        "origin": "posts:posts",
        "location": f"{number}.md",
        "source": "a",
        "source_name": None,
        "title": "标题",
        "published": NOW - datetime.timedelta(hours=number % 3),
        "published_guess": NOW,
        "raw_hash": bytes([number % 2]),
        "is_full": number % 4 != 0,
        "link": None,
        "share_url": f"http://h{number}.example/" if number % 2 else None,
        "categories": (),
        "changed": None,
        "media_type": "text/html",
    }
    return StoredCopy(**{**values, **changes})  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4, unique=True))
def test_what_is_shown_does_not_depend_on_the_order_of_copies(numbers) -> None:
    copies = [facts(number) for number in numbers]
    together = merge.decide(None, copies, {}, 1, NOW)
    for order in itertools.permutations(copies):
        article = None
        for end in range(1, len(order) + 1):
            change = merge.decide(article, order[:end], {}, 1, NOW)
            article = change.article if change is not None else article
        assert article is not None
        assert together is not None
        shown = {"version": 0}
        assert _fields(article, shown) == _fields(together.article, shown)


def _fields(article: object, replaced: dict[str, object]) -> dict[str, object]:
    names = article.__dataclass_fields__  # type: ignore[attr-defined]
    return {name: replaced.get(name, getattr(article, name)) for name in names}


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(0, 3)), min_size=1, max_size=8))
def test_updated_never_goes_back_whatever_the_clock_says(steps) -> None:
    change = merge.decide(None, [facts(1)], {}, 1, NOW)
    assert change is not None
    article = change.article
    for poll, (days, text) in enumerate(steps, 2):
        before = article.updated or article.published
        now = NOW + datetime.timedelta(days=days)
        copy = facts(1, raw_hash=bytes([text]))
        change = merge.decide(article, [copy], {}, poll, now)
        if change is None:
            continue
        article = change.article
        after = article.updated or article.published
        assert after > before
        assert after >= now


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ({"is_full": False}, {}, 1),
        ({"changed": NOW}, {}, 0),
        ({"changed": NOW}, {"changed": NOW + datetime.timedelta(days=1)}, 1),
        ({"is_full": False, "changed": NOW}, {}, 1),
        ({"origin": "lists"}, {}, 1),
        ({"published": NOW}, {"published": NOW + datetime.timedelta(days=1)}, 1),
    ],
)
def test_which_copy_is_shown(one, other, shown) -> None:
    plain = {"is_full": True, "published": NOW, "raw_hash": b""}
    copies = [facts(0, **plain | one), facts(1, **plain | other)]
    best = merge.best_copy(copies, {"posts:posts": 0, "lists": 1})
    assert best.location == f"{shown}.md"


def test_the_other_copies_fill_in_what_the_best_one_lacks() -> None:
    best = facts(0, is_full=True, title="", link=None, published=None)
    other = facts(1, is_full=False, title="标题", link="http://a.example/", published=NOW)
    found = merge.best_copy([best, other], {})
    assert (found.location, found.title, found.link) == ("0.md", "标题", "http://a.example/")
    assert found.published == NOW


def test_an_excerpt_does_not_replace_the_full_text() -> None:
    first = merge.decide(None, [facts(1)], {}, 1, NOW)
    assert first is not None
    change = merge.decide(first.article, [facts(0, title="标题")], {}, 2, NOW)
    assert change is not None
    assert change.article.raw_hash == first.article.raw_hash
    assert change.article.is_full
    assert change.article.revision == 1


def test_an_article_without_copies_is_removed_only_where_that_is_said() -> None:
    first = merge.decide(None, [facts(1)], {}, 1, NOW)
    assert first is not None
    assert merge.decide(first.article, [], {}, 2, NOW) is None
    removed = merge.decide(first.article, [], {}, 2, NOW, drop=True)
    assert removed is not None
    assert (removed.kind, removed.article.removed) == ("removed", True)
    assert merge.decide(removed.article, [], {}, 3, NOW, drop=True) is None
    back = merge.decide(removed.article, [facts(1)], {}, 3, NOW)
    assert back is not None
    assert (back.kind, back.article.removed) == ("returned", False)
