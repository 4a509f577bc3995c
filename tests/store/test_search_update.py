"""The search index keeps up with the store."""

import dataclasses
from pathlib import Path

import pytest
from merging import NOW, apply, article, code_of, copy

from aggregator.articles.search_query import parse
from aggregator.model.articles import Change
from aggregator.model.errors import StoreError
from aggregator.model.polls import Batch
from aggregator.store import schema, selected
from aggregator.store.articles import save_changes
from aggregator.store.database import Store
from aggregator.store.search_index import Bounds, SearchIndex
from aggregator.store.search_update import catch_up, is_behind, search
from aggregator.store.selected import SEARCH, Progress

ONE, TWO = code_of(1), code_of(2)
EVER = Bounds(until=int(NOW.timestamp()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.search"


def arrive(store: Store, code: str, text: str) -> None:
    apply(store, Batch("posts:a", copies=(copy(f"{code}.md", text, code=code),)))


def codes(store: Store, path: Path, query: str) -> list[str]:
    return [found.code for found in search(store, path, parse(query), EVER, 10)]


def build(store: Store, path: Path, token: bytes) -> None:
    """What a whole build does of it."""
    upto = catch_up(store, path, token)
    with store.transaction() as connection:
        selected.save_progress(connection, {SEARCH: Progress(token, upto)})
        connection.execute(schema.changed.delete())


def withdraw(store: Store, code: str, *, removed: bool = True) -> None:
    now = article(store, code)
    change = Change(
        dataclasses.replace(now, removed=removed, version=now.version + 1),
        "removed",
        frozenset("a"),
    )
    with store.transaction() as connection:
        save_changes(connection, [change], {code: now})


@pytest.mark.parametrize("is_built", [False, True])
def test_arrivals_corrections_and_withdrawals(store: Store, path: Path, is_built: bool) -> None:
    def built(token: bytes) -> None:
        if is_built:
            build(store, path, token)

    arrive(store, ONE, "<p>港口扩建</p>")
    built(b"1")
    assert codes(store, path, "口扩") == [ONE]
    arrive(store, TWO, "<p>港口关闭</p>")
    assert codes(store, path, "港口") == [TWO, ONE]
    built(b"2")
    arrive(store, ONE, "<p>机场扩建</p>")
    assert codes(store, path, "港口") == [TWO]
    built(b"3")
    assert codes(store, path, "机场") == [ONE]
    withdraw(store, TWO)
    assert codes(store, path, "港口") == []
    with SearchIndex(path) as index:
        assert list(index.marks()) == [ONE]
    built(b"4")
    withdraw(store, TWO, removed=False)
    assert codes(store, path, "港口") == [TWO]


def test_names_and_titles_are_found(store: Store, path: Path) -> None:
    arrive(store, ONE, "<p>x</p>")
    assert codes(store, path, "标题") == codes(store, path, "甲") == [ONE]


def test_a_build_that_was_cut_off_before_the_store_was_saved(store: Store, path: Path) -> None:
    arrive(store, ONE, "<p>a</p>")
    build(store, path, b"1")
    arrive(store, ONE, "<p>b</p>")
    catch_up(store, path, b"2")
    arrive(store, ONE, "<p>c</p>")
    assert (codes(store, path, "c"), codes(store, path, "b")) == ([ONE], [])
    build(store, path, b"3")
    assert codes(store, path, "c") == [ONE]


def test_a_machine_that_did_not_build_misses_no_change(store: Store, path: Path) -> None:
    other = path.with_name("other.search")
    arrive(store, ONE, "<p>aa</p>")
    build(store, path, b"1")
    assert codes(store, other, "aa") == [ONE]
    arrive(store, ONE, "<p>bb</p>")
    build(store, path, b"2")  # the store has forgotten what changed
    assert (codes(store, other, "aa"), codes(store, other, "bb")) == ([], [ONE])


def test_a_build_knows_without_the_index_whether_it_is_behind(store: Store, path: Path) -> None:
    def behind(*changed: str) -> bool:
        with store.transaction() as connection:
            return is_behind(connection, path, changed)

    arrive(store, ONE, "<p>a</p>")
    assert behind()
    build(store, path, b"1")
    assert not behind()
    assert behind(ONE)
    path.unlink()
    assert behind()
    build(store, path, b"1")
    arrive(store, TWO, "<p>a</p>")
    assert behind()


def test_an_article_that_the_store_has_no_more_is_not_found(store: Store, path: Path) -> None:
    arrive(store, ONE, "<p>a</p>")
    arrive(store, TWO, "<p>a</p>")
    catch_up(store, path)
    with store.transaction() as connection:
        connection.execute(schema.article.delete().where(schema.article.c.code == ONE))
    assert codes(store, path, "a") == [TWO]
    with SearchIndex(path) as index:
        assert list(index.marks()) == [TWO]


@pytest.mark.parametrize("size", [0, 5000, 40_000])
def test_a_damaged_index_is_made_again(store: Store, path: Path, size: int) -> None:
    for number in range(60):
        arrive(store, code_of(number), f"<p>港口{number} {number * 7919}</p>" * 30)
    assert len(codes(store, path, "港口")) == 10
    data = path.read_bytes()
    path.write_bytes(data[:size] + b"\xff" * (len(data) - size))
    assert codes(store, path, "港口59") == [code_of(59)]


def test_an_index_that_cannot_be_written(store: Store, path: Path) -> None:
    arrive(store, ONE, "<p>a</p>")
    path.mkdir()
    with pytest.raises(StoreError, match=r"x\.search"):
        catch_up(store, path)
