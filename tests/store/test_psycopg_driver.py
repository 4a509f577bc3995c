"""What connections to PostgreSQL say of this program, and what is said of their errors."""

import os
import socket

import pytest
from postgresql import new_database

from aggregator.store.psycopg_driver import (
    application_name,
    connection_options,
    host_of_process,
    key_of,
    one_line,
    prefix_of,
    this_process,
)


def test_all_connections_of_a_process_begin_alike() -> None:
    assert str(os.getpid()) in this_process()
    assert host_of_process(this_process()) == socket.gethostname()
    for who in ("store", "aggregator run", "x" * 100):
        name = application_name(who)
        assert name.startswith(prefix_of(this_process()))
        assert len(name) <= 63
    # Process 1 is not process 12.
    assert not "process 12 on host (store)".startswith(prefix_of("process 1 on host"))


def test_a_connection_says_whose_it_is_and_ends_with_its_server() -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(new_database(), **connection_options("store")) as connection:
        found = connection.execute("SELECT current_setting('application_name')").fetchone()
        options = connection.info.get_parameters()
    assert found == (application_name("store"),)
    assert {"connect_timeout", "keepalives_idle", "keepalives_count"} <= options.keys()


def test_a_long_host_name_still_tells_processes_apart() -> None:
    one, other = (prefix_of(f"process {number} on {'h' * 80}") for number in (1, 2))
    assert one != other
    assert len(one) == 63


def test_a_lock_has_one_number_of_64_bits_for_ever() -> None:
    assert key_of("writer") == 6_906_939_986_111_980_380
    assert key_of("writer") != key_of("poll")
    assert -(2**63) <= key_of("writer") < 2**63


def test_messages_are_one_line_without_passwords() -> None:
    said = one_line(ValueError('connection to\n\t"postgresql://ann:secret@db/feeds" failed'))
    assert said == 'connection to "postgresql://…@db/feeds" failed'
