"""Stores of earlier versions become what a new one is."""

import contextlib
import sqlite3
import zlib
from pathlib import Path

import pytest
from merging import apply, copy

from aggregator.model.errors import DamagedStoreError, StoreError
from aggregator.model.packing import pack, unpack
from aggregator.model.polls import Batch
from aggregator.store import migrations
from aggregator.store.articles import bodies_of
from aggregator.store.database import Store

# A store of every version that was released, and of states between them.
STORES = sorted((Path(__file__).parents[1] / "data" / "store").glob("*.sql"))


def shape_of(connection: sqlite3.Connection) -> dict[str, object]:
    """The tables with their columns, and the indexes."""
    tables = connection.execute("select name, type, tbl_name from sqlite_master").fetchall()
    found: dict[str, object] = {}
    for name, kind, table in tables:
        if kind == "table":
            columns = connection.execute(f"pragma table_info({name})").fetchall()
            # Less the defaults: a column that is added needs one.
            found[name] = sorted((*column[1:4], column[5]) for column in columns)
        else:
            found[name] = (table, connection.execute(f"pragma index_info({name})").fetchall())
    return found


@pytest.mark.parametrize("path", STORES, ids=lambda path: path.stem)
def test_an_older_store_becomes_what_a_new_one_is(tmp_path: Path, path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.executescript(path.read_text("utf-8"))
    connection.close()
    with Store(tmp_path / "old.db") as store:
        assert not store.is_new
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "a"),))) == ["new"]
    Store(tmp_path / "new.db").close()
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as old,
        contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as new,
    ):
        shape = shape_of(old)
        assert shape == shape_of(new)
        assert "url" in shape
        numbers = old.execute("select number from migration").fetchall()
        assert numbers == [(number + 1,) for number in range(migrations.VERSION)]


def test_texts_of_version_1_are_packed_again(tmp_path: Path) -> None:
    """A damaged one stays, and is a problem when it is read; nothing else is rewritten."""
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((STORES[0].parent / "4.sql").read_text("utf-8"))
        damaged = zlib.compress("正文".encode())[:-1]
        no_text = zlib.compress(b"\xff")
        long = "长" * 1_000_000
        values = [(901, damaged), (902, no_text), (903, zlib.compress(long.encode()))]
        connection.executemany("insert into body values (?, ?)", [*values, (904, pack("新"))])
        query = "select body_id, text from body where body_id < 900"
        texts = {
            number: zlib.decompress(text).decode() if text[:1] == b"x" else unpack(text)
            for number, text in connection.execute(query)
        }
        assert any(text[:1] == b"x" for _, text in connection.execute(query))
    connection.close()
    with Store(path) as store, store.transaction() as connection:
        found = bodies_of(connection, [*texts, 901, 902, 903, 904])
    assert {number: unpack(found[number]) for number in texts} == texts
    assert (found[901], found[902], found[904]) == (damaged, no_text, pack("新"))
    assert unpack(found[903]) == long
    with pytest.raises(DamagedStoreError):
        unpack(found[901])


def test_articles_that_nothing_calls_unsorted_any_more_belong_to_the_site(tmp_path: Path) -> None:
    """Those whose post is still there are left to it: it may have a category of that name."""
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((STORES[0].parent / "5.sql").read_text("utf-8"))
        kept, *others = (
            code for (code,) in connection.execute("select code from article order by code")
        )
        assert others
        connection.execute("update article set source = 'unsorted'")
        connection.execute("update copy set source = ''")
        connection.execute("update copy set source = 'unsorted' where code = ?", (kept,))
    connection.close()
    Store(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = dict(connection.execute("select code, source from article"))
        dirty = {source for (source,) in connection.execute("select * from dirty_source")}
    assert found == {kept: "unsorted"} | dict.fromkeys(others, "")
    assert {"", "unsorted"} <= dirty


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("insert into migration values (999, 0)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)
    assert path.read_bytes() == before
