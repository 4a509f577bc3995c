"""Which machines share a store."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from postgresql import new_database
from waiting import wait_for

from aggregator.model.errors import StoreError
from aggregator.store.database import Store
from aggregator.store.machines import Machines
from aggregator.store.psycopg_driver import this_process


@pytest.fixture
def url() -> str:
    found = new_database()
    Store(found).close()
    return found


@pytest.fixture
def machines(url: str) -> Iterator[Machines]:
    found = Machines(url)
    yield found
    found.close()


def test_machines_come_are_seen_and_go(machines: Machines) -> None:
    machines.join("one", ["build", "posts"], "host:/srv/feeds", "0.2.0")
    machines.join("two", ["upstream"], "host:/srv/other", "0.2.0")
    one, two = machines.all()
    assert (one.name, one.roles, one.place) == ("one", ("build", "posts"), "host:/srv/feeds")
    assert one.is_alive
    assert two.hosts == ()
    assert machines.beat("two", 7, ["b.example.org", "a.example.org"])
    two = machines.all()[1]
    assert (two.done, two.hosts) == (7, ("a.example.org", "b.example.org"))
    machines.leave("one")
    assert [found.name for found in machines.all()] == ["two"]
    assert not machines.beat("one")


def test_a_silent_machine_is_given_up_and_its_connections_are_cut(
    machines: Machines, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "process 1 on other"
    machines.join(name, ["upstream"], "p", "1")
    machines.join(this_process(), ["upstream"], "p", "1")
    with (
        psycopg.connect(url, autocommit=True, application_name=f"{name} (store)") as its,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        assert machines.give_up_silent(this_process()) == []
        connection.execute("UPDATE machine SET seen_at = 0")
        up = "SELECT extract(epoch FROM now() - pg_postmaster_start_time()) >= 2"
        wait_for(lambda: connection.execute(up).fetchone() == (True,))
        # After a start of the server, nobody has been heard for a while.
        monkeypatch.setattr("aggregator.store.machines.SILENT_AFTER", 1_000_000)
        assert machines.give_up_silent(this_process()) == []
        monkeypatch.setattr("aggregator.store.machines.SILENT_AFTER", 1)
        assert machines.give_up_silent(this_process()) == [name]
        with pytest.raises(psycopg.OperationalError):
            its.execute("SELECT 1")
        assert [found.name for found in machines.all()] == [this_process()]


def test_machines_agree_in_what_the_first_one_has(machines: Machines) -> None:
    ours = {"lists": b"1", "site": b"2"}
    assert machines.agree(ours, others=False) == []
    assert machines.agree(ours, others=True) == []
    assert machines.agree({"lists": b"9", "posts": b"3"}, others=True) == ["lists", "posts", "site"]
    assert machines.agree({"lists": b"9"}, others=False) == []
    assert machines.agree(ours, others=True) == ["lists", "site"]


def test_a_server_that_is_away_is_an_error_of_the_store() -> None:
    machines = Machines("postgresql://127.0.0.1:1/feeds")
    with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
        machines.all()
