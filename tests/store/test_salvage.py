"""What can be read of a damaged store, and the store that takes its place."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from merging import apply, code_of, copy

from aggregator.model.errors import StoreError
from aggregator.model.polls import Batch
from aggregator.store.articles import count_articles
from aggregator.store.database import Store
from aggregator.store.salvage import EVERYTHING, complaint, replace, salvage

ARTICLES = 300
STORES = sorted((Path(__file__).parents[1] / "data" / "store").glob("*.sql"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a store with some hundred articles."""
    with Store(tmp_path / "aggregator.db") as store:
        copies = [copy(f"{n}.md", f"{n}" * 200, code=code_of(n)) for n in range(ARTICLES)]
        apply(store, Batch("posts:a", copies=tuple(copies)))
        store.tidy()
    return tmp_path / "aggregator.db"


def damage(path: Path, table: str) -> None:
    """Overwrite the page in the middle of a table."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute(
            "select rootpage from sqlite_master where name = ?", (table,)
        ).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
        (count,) = connection.execute("pragma page_count").fetchone()
    data = bytearray(path.read_bytes())
    root_page = data[(root - 1) * size : root * size]
    assert root_page[0] == 5, "the table has one page only"
    # The child in the middle of an inner page of a table: its number, at the cell's start.
    cells = int.from_bytes(root_page[3:5], "big")
    at = 12 + 2 * (cells // 2)
    cell = int.from_bytes(root_page[at : at + 2], "big")
    child = int.from_bytes(root_page[cell : cell + 4], "big")
    assert 1 < child <= count
    data[(child - 1) * size : child * size] = b"\xff" * size
    path.write_bytes(data)


def test_a_sound_store_has_no_complaint_and_is_copied_whole(path: Path, tmp_path: Path) -> None:
    assert complaint(path) is None
    assert salvage(path, tmp_path / "new.db") == []
    with Store(tmp_path / "new.db") as store, store.transaction() as connection:
        assert count_articles(connection) == ARTICLES


def test_a_damaged_page_costs_its_rows_and_no_others(path: Path, tmp_path: Path) -> None:
    damage(path, "article")
    assert complaint(path) is not None
    assert salvage(path, tmp_path / "new.db") == ["article"]
    assert complaint(tmp_path / "new.db") is None
    with contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        (count,) = connection.execute("select count(*) from article").fetchone()
        assert ARTICLES / 2 < count < ARTICLES
        assert connection.execute("select count(*) from copy").fetchone() == (ARTICLES,)
        ends = connection.execute("select min(code), max(code) from article").fetchone()
        assert ends == (code_of(0), code_of(ARTICLES - 1))


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b""])
def test_of_what_is_no_store_everything_is_lost(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    assert salvage(tmp_path / "x.db", tmp_path / "new.db") == [EVERYTHING]


def test_a_file_that_cannot_be_read_is_not_taken_for_damaged(tmp_path: Path) -> None:
    (tmp_path / "x.db").mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        complaint(tmp_path / "x.db")


def test_the_damaged_store_is_kept_aside_with_its_journal(tmp_path: Path) -> None:
    damaged, target, aside = (tmp_path / name for name in ("a.db", "new.db", "a.db.damaged"))
    damaged.write_bytes(b"old")
    target.write_bytes(b"new")
    (tmp_path / "a.db-wal").write_bytes(b"log")
    (tmp_path / "a.db-shm").write_bytes(b"")
    replace(damaged, target, aside)
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == {
        "a.db": b"new", "a.db.damaged": b"old", "a.db.damaged-wal": b"log"
    }  # fmt: skip


@pytest.mark.parametrize("dump", STORES, ids=lambda path: path.stem)
def test_a_store_without_its_version_is_known_by_its_tables(tmp_path: Path, dump: Path) -> None:
    path, target = tmp_path / "store.db", tmp_path / "salvaged.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text("utf-8"))
        articles = connection.execute("select count(*) from article").fetchone()
        query = "select rootpage from sqlite_master where name = 'migration'"
        (page,) = connection.execute(query).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert complaint(path) is not None
    assert salvage(path, target) == ["migration"]
    with Store(target) as store, store.transaction() as connection:
        found = connection.exec_driver_sql("select count(*) from article").fetchone()
    assert found == articles
