"""The store on its own: transactions, dry runs, files that are no store."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from merging import apply, article, copy

from aggregator.model.errors import DamagedStoreError
from aggregator.model.polls import Batch, FileState
from aggregator.store import migrations
from aggregator.store.database import Store
from aggregator.store.origins import file_states, save_states


def test_a_new_store_knows_its_version_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.db"
    with Store(path) as store:
        assert store.is_new
    with Store(path) as store:
        assert not store.is_new
    with contextlib.closing(sqlite3.connect(path)) as connection:
        numbers = connection.execute("select number from migration").fetchall()
    assert numbers == [(number + 1,) for number in range(migrations.VERSION)]


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 50, b"\0" * 4096])
def test_a_file_that_is_no_database_is_told_apart(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(DamagedStoreError):
        Store(path)


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:

        def fail() -> None:
            with store.transaction() as connection:
                states = (FileState("x", 1, 1, 1, 1),)
                save_states(connection, Batch("posts:a", states=states))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert list(file_states(store.transaction, "posts:a")) == []


def test_a_dry_run_sees_its_own_changes_and_forgets_them(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path).close()
    before = path.read_bytes()
    with Store(path, dry_run=True) as store:
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "a"),))) == ["new"]
        assert article(store).revision == 1
    assert path.read_bytes() == before


def test_tidying_leaves_everything_in_one_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path) as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        store.tidy()
        assert article(store).title == "标题"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("select count(*) from article").fetchone() == (1,)
