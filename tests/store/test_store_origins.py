"""The files that origins have read, and the numbers of polls."""

import datetime
from pathlib import Path

from aggregator.model.polls import Batch, FileState
from aggregator.store.database import Store
from aggregator.store.origins import (
    file_states,
    finish_poll,
    known_origins,
    rename_origin,
    save_origin,
    save_states,
    start_poll,
)

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)


def test_files_come_back_in_the_order_of_their_paths_over_many_pages(address: Path | str) -> None:
    paths = sorted(["é", "Z", "a", "中", "😀", *(f"{n:05d}" for n in range(12_000))])
    with Store(address) as store:
        states = tuple(FileState(path, 1, 2, 3, 4, b"h") for path in reversed(paths))
        with store.transaction() as connection:
            save_states(connection, Batch("posts:a", states=states))
        found = [state.path for state in file_states(store.transaction, "posts:a")]
    assert found == paths


def test_an_origin_goes_on_under_another_name(address: Path | str) -> None:
    with Store(address) as store, store.transaction() as connection:
        states = (FileState("1.md", 1, 2, 3, 4, b"h"),)
        save_states(connection, Batch("posts:a/*.md", states=states))
        save_origin(connection, "posts:a/*.md", b"rules", NOW)
        rename_origin(connection, "posts:a/*.md", "posts:a/**/*")
        assert known_origins(connection) == ["posts:a/**/*"]
        # Never over one that was read.
        save_origin(connection, "posts:a/*.md", b"rules", NOW)
        rename_origin(connection, "posts:a/*.md", "posts:a/**/*")
        rename_origin(connection, "posts:b/*.md", "posts:b/**/*")
        assert sorted(known_origins(connection)) == ["posts:a/**/*", "posts:a/*.md"]


def test_a_killed_poll_is_gone_on_with(address: Path | str) -> None:
    with Store(address) as store:
        with store.transaction() as connection:
            first = start_poll(connection)
        with store.transaction() as connection:
            assert start_poll(connection) == first
            finish_poll(connection, first)
        with store.transaction() as connection:
            assert start_poll(connection) == first + 1
