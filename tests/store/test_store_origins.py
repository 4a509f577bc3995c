"""The files that origins have read, and the numbers of polls."""

from pathlib import Path

from aggregator.model.polls import Batch, FileState
from aggregator.store.database import Store
from aggregator.store.origins import file_states, finish_poll, save_states, start_poll


def test_files_come_back_in_the_order_of_their_paths_over_many_pages(tmp_path: Path) -> None:
    paths = sorted(["é", "Z", "a", "中", "😀", *(f"{n:05d}" for n in range(12_000))])
    with Store(tmp_path / "store.db") as store:
        states = tuple(FileState(path, 1, 2, 3, 4, b"h") for path in reversed(paths))
        with store.transaction() as connection:
            save_states(connection, Batch("posts:a", states=states))
        found = [state.path for state in file_states(store.transaction, "posts:a")]
    assert found == paths


def test_a_killed_poll_is_gone_on_with(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        with store.transaction() as connection:
            first = start_poll(connection)
        with store.transaction() as connection:
            assert start_poll(connection) == first
            finish_poll(connection, first)
        with store.transaction() as connection:
            assert start_poll(connection) == first + 1
