"""What is SQLite's alone: files that are no store, and what a sound one leaves on the disk."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from merging import apply, article, copy

from aggregator.model.errors import DamagedStoreError
from aggregator.model.polls import Batch
from aggregator.store.database import Store


def test_the_folder_of_a_new_store_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.db"
    Store(path).close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("content", [b"not a database at all, but long enough" * 50, b"\0" * 4096])
def test_a_file_that_is_no_database_is_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(DamagedStoreError):
        Store(path)


def test_tidying_leaves_everything_in_one_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path) as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        store.tidy()
        assert article(store).title == "标题"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("select count(*) from article").fetchone() == (1,)
