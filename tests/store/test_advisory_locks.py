"""Locks in a PostgreSQL database."""

from __future__ import annotations

import datetime
import os
import socket
import threading

import psycopg
import pytest
from postgresql import new_database

from aggregator.config.paths import DatabaseLock
from aggregator.model.errors import LockedError, StoreError
from aggregator.model.polls import UrlState
from aggregator.store import urls
from aggregator.store.database import Store
from aggregator.store.lock import exclusive, shared
from aggregator.store.psycopg_driver import application_name

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)


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


def test_a_lock_can_be_shared_by_those_who_say_so() -> None:
    lock = DatabaseLock(new_database(), "poll")
    with (
        shared(lock, 0, "one"),
        shared(lock, 0, "two"),
        pytest.raises(LockedError),
        exclusive(lock, 0, "three"),
    ):
        pass
    with exclusive(lock, 0, "three"), pytest.raises(LockedError), shared(lock, 0, "one"):
        pass


def cut(url: str, who: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s"
        )
        assert connection.execute(query, (application_name(who),)).rowcount == 1


def test_who_has_lost_the_lock_writes_nothing() -> None:
    """Its connection was cut, and another has the lock since: a stale writer fails loudly."""
    url = new_database()
    lock = DatabaseLock(url, "writer")
    with Store(url) as store:
        with exclusive(lock, 0, "stale"):
            with store.transaction() as connection:
                urls.save(connection, "lists", [UrlState("https://a.example.org/", NOW)])
            cut(url, "stale")
            with exclusive(lock, 5, "other"):
                pass
            with pytest.raises(StoreError, match="was cut"), store.transaction() as connection:
                urls.save(connection, "lists", [UrlState("https://b.example.org/", NOW)])
        # With a new lock, it goes on.
        with exclusive(lock, 5, "stale"), store.transaction() as connection:
            assert len(urls.all_states(connection)) == 1


def test_a_connection_that_was_cut_is_replaced() -> None:
    url = new_database()
    lock = DatabaseLock(url, "writer")
    with exclusive(lock, 0, "first"):
        pass
    cut(url, "first")
    with exclusive(lock, 0, "second"):
        pass
