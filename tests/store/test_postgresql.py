"""What is PostgreSQL's alone; what a store does is tested on both databases beside this file."""

from __future__ import annotations

import os
import socket
import threading

import pytest
from postgresql import new_database
from sqlalchemy import select

from aggregator.config.paths import DatabaseLock
from aggregator.model.errors import DamagedStoreError, LockedError, StoreError
from aggregator.store import schema
from aggregator.store.database import Store
from aggregator.store.lock import exclusive


def test_a_lock_is_held_by_one_and_names_its_holder() -> None:
    url = new_database()
    lock = DatabaseLock(url, "writer")
    with exclusive(lock, 0, "aggregator run"):
        with pytest.raises(LockedError) as caught, exclusive(lock, 0.1, "aggregator poll"):
            pass
        with exclusive(DatabaseLock(url, "poll"), 0, "aggregator poll"):
            pass
    assert f"process {os.getpid()} on {socket.gethostname()} (aggregator run)" in str(caught.value)
    with exclusive(lock, 0, "aggregator poll"):
        pass


def test_the_locks_of_two_databases_are_two() -> None:
    with (
        exclusive(DatabaseLock(new_database(), "writer"), 0, "one"),
        exclusive(DatabaseLock(new_database(), "writer"), 0, "two"),
    ):
        pass


def test_a_lock_is_waited_for() -> None:
    lock = DatabaseLock(new_database(), "writer")
    is_held, end = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(lock, 0, "first"):
            is_held.set()
            end.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(10)
    threading.Timer(0.2, end.set).start()
    with exclusive(lock, 10, "second"):
        assert end.is_set()
    thread.join()


def test_a_server_that_does_not_answer_is_an_error_and_no_damage() -> None:
    address = "postgresql://ann:secret@127.0.0.1:1/feeds"
    for attempt in (lambda: Store(address), lambda: _hold(DatabaseLock(address, "writer"))):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert not isinstance(caught.value, DamagedStoreError)
        assert "secret" not in str(caught.value)
        assert "127.0.0.1" in str(caught.value)


def test_a_database_that_does_not_exist_is_named() -> None:
    address = new_database()
    with pytest.raises(StoreError, match="no_such_database"):
        Store(address.replace("/test_", "/no_such_database_", 1))


def test_nul_is_stored_as_a_replacement_character() -> None:
    with Store(new_database()) as store, store.transaction() as connection:
        connection.execute(schema.dirty_feed.insert(), [{"feed": "a\0b"}])
        assert connection.execute(select(schema.dirty_feed.c.feed)).scalar_one() == "a\ufffdb"


def _hold(lock: DatabaseLock) -> None:
    with exclusive(lock, 0, "test"):
        pass
