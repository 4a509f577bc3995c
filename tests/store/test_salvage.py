"""What can still be read of a damaged store is copied into a new one."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from aggregator.store import salvage
from aggregator.store.database import Store

STORES = sorted((Path(__file__).parents[1] / "data" / "store").glob("*.sql"))


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
    assert salvage.complaint(path) is not None
    assert salvage.salvage(path, target) == ["migration"]
    with Store(target) as store, store.transaction() as connection:
        found = connection.exec_driver_sql("select count(*) from article").fetchone()
    assert found == articles
