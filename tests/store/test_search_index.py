"""The file of the search index: what is found in it, and when it must be made again."""

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.articles.search_query import parse
from aggregator.articles.search_text import searched, tokens
from aggregator.model.errors import QueryError
from aggregator.store.search_index import (
    Bounds,
    Document,
    SearchIndex,
    State,
    UnusableIndexError,
    new_index,
)

EVER = Bounds(until=2**62)


def document(code: str, text: str, published: int = 0, source: str = "a") -> Document:
    return Document(
        code, b"1", source, published, tokens(searched("", text, "text/html", [source]))
    )


def put(index: SearchIndex, *documents: Document) -> None:
    numbers = index.numbers({item.code: item.published for item in documents})
    for item in documents:
        index.put(item, numbers[item.code])


def write(path: Path, *documents: Document, seconds: int = 1) -> None:
    with new_index(path, seconds) as index, index.changing():
        put(index, *documents)


def found(path: Path, query: str, bounds: Bounds = EVER, limit: int = 100) -> list[str]:
    with SearchIndex(path) as index:
        return index.newest(parse(query), bounds, limit)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.search"


TEXT = st.text(alphabet='ab é中，9-"*( \U00020000', max_size=12)


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=8), queries=st.lists(TEXT, min_size=5))
def test_the_index_finds_what_a_saved_search_does(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], queries: list[str]
) -> None:
    path = tmp_path_factory.mktemp("index") / "x.search"
    write(path, *(document(str(number), text) for number, text in enumerate(texts)))
    for query in [*queries, *(text[2:7] for text in texts), *(f'"{text[1:4]}"' for text in texts)]:
        try:
            matching = parse(query)
        except QueryError:
            continue
        assert set(found(path, query)) == {
            str(number)
            for number, text in enumerate(texts)
            if matching.matches(searched("", text, "text/html", ["a"]))
        }, query


@pytest.mark.parametrize(
    "query", ["NEAR(a b)", "tokens:a", "a*", '"a" OR', "^a", "a AND NOT", "{a} : b", "';--", "a\\"]
)
def test_the_syntax_of_the_index_means_nothing_in_a_query(path: Path, query: str) -> None:
    literal = query.replace('"', "")
    write(path, document("1", f"x {literal} y"), document("2", "a b"))
    assert found(path, query)[:1] in ([], ["1"], ["2"])
    assert found(path, f'"{literal}"') == ["1"]


@pytest.mark.parametrize("seconds", [1, 7, 1000])
@pytest.mark.parametrize("limit", [1, 3, 10, 100])
def test_the_newest_come_first_whatever_came_late(path: Path, seconds: int, limit: int) -> None:
    times = [5000, 40, 40, 41, 5000, -300, 0, 90, 4999, 5000, 12, 40]
    write(path, *(document(f"{n:02d}", "a", time) for n, time in enumerate(times)), seconds=seconds)
    late = [4998, 39, 5001, -301, 40]
    with SearchIndex(path) as index, index.changing():
        for number, time in enumerate(late, len(times)):
            put(index, document(f"{number:02d}", "a", time))
    times += late
    expected = sorted(range(len(times)), key=lambda number: (times[number], number), reverse=True)
    assert found(path, "a", limit=limit) == [f"{number:02d}" for number in expected[:limit]]


def test_bounds(path: Path) -> None:
    write(path, *(document(str(n), "a", 10 * n, "xy"[n % 2]) for n in range(6)), seconds=3)
    assert found(path, "a", Bounds(until=30)) == ["3", "2", "1", "0"]
    assert found(path, "a", Bounds(until=30, since=20)) == ["3", "2"]
    assert found(path, "a", Bounds(until=99, source="y"), 2) == ["5", "3"]


def test_what_was_dropped_or_put_again_is_found_once(path: Path) -> None:
    write(path, document("1", "old"), document("2", "old"))
    with SearchIndex(path) as index:
        with index.changing():
            index.drop(["1", "2"])
            put(index, document("1", "new"))
            index.save(State(2, b"t"))
        assert index.state() == State(2, b"t")
        assert index.marks() == {"1": b"1"} == index.marks(["1", "2"])
    assert (found(path, "old"), found(path, "new")) == ([], ["1"])


def test_changes_are_kept_together(path: Path) -> None:
    write(path, document("1", "a"))
    with SearchIndex(path) as index, contextlib.suppress(ZeroDivisionError), index.changing():
        put(index, document("2", "a"))
        raise ZeroDivisionError
    assert found(path, "a") == ["1"]


def test_an_index_that_was_not_finished_is_none(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_index(path, 1):
        raise ZeroDivisionError
    assert list(path.parent.iterdir()) == []
    with pytest.raises(UnusableIndexError, match="no search index yet"):
        SearchIndex(path)


def test_an_index_with_many_former_texts_is_worn(path: Path) -> None:
    write(path, *(document(str(n), "a", n) for n in range(1300)))
    with SearchIndex(path) as index:
        with index.changing():
            index.drop(map(str, range(900)))
        assert not index.is_worn()
        with index.changing():
            index.drop(map(str, range(1250)))
        assert index.is_worn()


def _other_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE state SET format = '0'")
    connection.close()


def _no_table(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE words_data")
    connection.close()


def _torn(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


DAMAGE: list[Callable[[Path], object]] = [
    _other_version,
    _no_table,
    _torn,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"no database at all" * 100),
    lambda path: path.write_bytes(path.read_bytes()[:4096] + bytes(len(path.read_bytes()) - 4096)),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_and_other_versions_are_told(path: Path, damage: Callable[[Path], object]) -> None:
    write(path, *(document(str(n), f"a{n}" * 50, n) for n in range(300)))
    damage(path)
    with pytest.raises(UnusableIndexError):
        found(path, "a7")


def test_a_journal_of_an_index_that_was_deleted_does_no_harm(path: Path) -> None:
    write(path, *(document(str(n), "a b c" * 300, n) for n in range(50)))
    journal = path.with_name("x.search-journal")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size=1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE document SET source = 'b' WHERE number > 0")
    connection.execute("INSERT INTO words (words) VALUES ('optimize')")
    left = journal.read_bytes()
    connection.close()
    assert left
    path.unlink()
    journal.write_bytes(left)
    write(path, document("1", "new"))
    assert found(path, "new") == ["1"]
    assert not journal.exists()
