"""`aggregator store copy`: a site moves to PostgreSQL and back."""

import contextlib
import datetime
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import COMMAND, Site, article
from postgresql import new_database
from sqlalchemy import select
from system.dirty_posts import dirty_post, dirty_posts, publish_everything
from system.documents import differing, files_of
from upstream import Upstream
from waiting import wait_for

from aggregator.store import schema
from aggregator.store.database import Store
from aggregator.store.migrations import VERSION

# They say themselves where the store is.
pytestmark = pytest.mark.sqlite

FETCH = """\
fetch: {timeout: 3s, allow_private_addresses: true, per_host: {concurrency: 8, delay: 0s}}
subscriptions:
"""
ITEM = (
    "<item><title>{0}</title><link>http://a.example/{0}</link><description>{1}</description></item>"
)


@pytest.fixture
def rich(site: Site, upstream: Upstream) -> Site:
    """A site with something in nearly every table."""
    publish_everything(site)
    for name, text in dirty_posts(60):
        site.post(name, text)
    items = "".join(ITEM.format(name, "文") for name in "abc")
    feed = upstream.document("/feed", f"<rss version='2.0'><channel>{items}</channel></rss>")
    broken = upstream.document("/broken", "<html>")
    site.configure(
        lambda text: (
            text.replace("[atom, rss, json]", "[atom, rss, json, html]")
            + f"{FETCH}  - {{url: '{feed}', source: beijing}}\n  - url: '{broken}'\n"
        )
    )
    # As new as the entries of the feed, which have no dates, so that what is similar can show.
    now = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S} +0000"
    story = "".join(f"<p>第{n}段讲的是港口的第{n}个细节，每段都不一样。</p>" for n in range(20))
    for name in "xy":
        text = article(f"同题 {name}", story, date=now, source=name, name=name)
        site.post(f"story-{name}.md", text)
    site.run("poll", "--only", "subscriptions")
    site.build()
    for name, text in dirty_posts(0, 60, 5, revision=1):
        site.post(name, text)
    items = "".join(ITEM.format(name, "新文") for name in "abd")
    upstream.document("/feed", f"<rss version='2.0'><channel>{items}</channel></rss>")
    site.run("poll", "--only", "subscriptions", "--all")
    for number in range(3, 60, 11):
        (site.posts / dirty_post(number)[0]).unlink()
    site.build()
    return site


def rows_of(address: Path | str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but those of one database alone."""
    with Store(address, dry_run=True) as store, store.transaction() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in schema.metadata.sorted_tables
            if table.name != "write_token"
        }


def move_to(site: Site, address: str) -> None:
    lines = [line for line in site.config.read_text("utf-8").splitlines() if line[:6] != "store:"]
    site.config.write_text("\n".join([*lines, f"store: {address}", ""]), "utf-8")


def copied(site: Site, source: object, target: object) -> str:
    result = site.run("store", "copy", str(source), str(target))
    assert (result.code, result.err) == (0, ""), result.err
    return result.out


def test_there_and_back_everything_is_the_same(rich: Site) -> None:
    url = new_database()
    before = rows_of(rich.store)
    empty = {name for name, rows in before.items() if not rows}
    assert empty <= {
        "robots", "changed", "dirty_source", "dirty_feed", "unplaced", "feed_list", "machine",
        "agreement", "story", "similar_changed",
    }  # fmt: skip
    files = files_of(rich)
    out = copied(rich, "var/aggregator.db", url)
    assert "store: postgresql://" in out
    assert rows_of(rich.store) == before
    assert rows_of(url) == before
    move_to(rich, url)
    result = rich.build("--json")
    assert result.json["written"] == []
    assert differing(files_of(rich), files) == []

    # What comes afterwards is the same on both: numbers go on, and nothing is decided anew.
    rich.post(*dirty_post(1000))
    rich.build()
    in_database = files_of(rich)
    assert len(differing(in_database, files)) > 3
    out = copied(rich, url, "sqlite:///var/back.db")
    assert rows_of(rich.root / "var/back.db") == rows_of(url)
    move_to(rich, "var/back.db")
    assert rich.build("--json").json["written"] == []
    rich.post(*dirty_post(1001))
    rich.build()
    assert set(files_of(rich)) >= set(in_database)


def test_numbers_continue_after_the_highest(rich: Site) -> None:
    url = new_database()
    copied(rich, rich.store, url)
    with Store(url) as store, store.transaction() as connection:
        for table in schema.metadata.sorted_tables:
            number = table.autoincrement_column
            if number is None or table.name in ("write_token",):
                continue
            highest = connection.execute(select(number).order_by(number.desc())).scalar()
            if highest is None:
                continue
            sequence = f"pg_get_serial_sequence('\"{table.name}\"', '{number.name}')"
            following = connection.exec_driver_sql(f"SELECT nextval({sequence})").scalar_one()
            assert following == highest + 1, table.name


def test_every_table_that_there_is_is_copied() -> None:
    """Also one whose module the copy itself has no need of."""
    script = (
        "import aggregator.store.transfer as transfer, pkgutil, importlib, aggregator.store as s\n"
        "before = set(transfer.metadata.tables)\n"
        "[importlib.import_module(f'aggregator.store.{m.name}') for m in "
        "pkgutil.iter_modules(s.__path__)]\n"
        "print(sorted(set(transfer.metadata.tables) - before), len(before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    missing, _, count = done.stdout.decode().rpartition(" ")
    assert missing == "[]"
    assert int(count) >= 25


def test_text_that_postgresql_cannot_store_changes_no_feed(site: Site) -> None:
    """SQLite holds NUL, where no reader takes it away."""
    site.post("2022-01-27-NW202201272264567295.md", article())
    site.build()
    files = files_of(site)
    with contextlib.closing(sqlite3.connect(site.store)) as connection:
        connection.execute("insert into problem values (77, 'o', 'a' || char(0) || 'b', 1, 'x', 1)")
        connection.commit()
    url = new_database()
    copied(site, site.store, url)
    assert next(row for row in rows_of(url)["problem"] if row[0] == 77)[2] == "a\ufffdb"
    move_to(site, url)
    assert site.build("--json").json["written"] == []
    assert files_of(site) == files


def _is_sqlite(site: Site) -> str:
    copy = site.root / "there.db"
    copy.write_bytes(b"something")
    return str(copy)


def _is_postgresql(site: Site) -> str:
    url = new_database()
    with Store(url):
        return url


@pytest.mark.parametrize("target", [_is_sqlite, _is_postgresql])
def test_what_is_there_is_never_overwritten(built: Site, target: Callable[[Site], str]) -> None:
    address = target(built)
    before = rows_of(address) if "://" in address else Path(address).read_bytes()
    result = built.run("store", "copy", str(built.store), address)
    assert result.code == 2, result.err
    assert "already" in result.err
    assert (rows_of(address) if "://" in address else Path(address).read_bytes()) == before
    assert built.run("store", "copy", str(built.store), str(built.store)).code == 2


def test_what_is_no_store_is_named(site: Site) -> None:
    for source in ("none.db", new_database()):
        result = site.run("store", "copy", source, "new.db")
        assert result.code == 2, result.err
        assert "no such store" in result.err or "is not a store" in result.err
    unreachable = "postgresql://ann:secret@127.0.0.1:1/feeds"
    for addresses in ((unreachable, "new.db"), ("none.db", unreachable)):
        result = site.run("store", "copy", *addresses)
        assert result.code in (1, 2)
        assert "secret" not in result.err + result.out
    assert [path.name for path in site.root.glob("new.db*") if path.suffix != ".lock"] == []


def test_a_store_of_another_version_is_refused(built: Site) -> None:
    for statement, words in (
        ("insert into migration values (999, 0)", "newer version"),
        (f"delete from migration where number > {VERSION - 1}", "run aggregator build-feeds"),
    ):
        with contextlib.closing(sqlite3.connect(built.store)) as connection:
            connection.execute(statement)
            connection.commit()
        result = built.run("store", "copy", str(built.store), new_database())
        assert result.code == 1
        assert words in result.err


def test_a_damaged_store_is_not_copied(rich: Site) -> None:
    data = bytearray(rich.store.read_bytes())
    for page in range(20, len(data) // 4096, 3):
        data[page * 4096 : page * 4096 + 200] = os.urandom(200)
    rich.store.write_bytes(data)
    url = new_database()
    result = rich.run("store", "copy", str(rich.store), url)
    assert result.code == 1, result.out
    assert "Traceback" not in result.err
    assert "run aggregator build-feeds on it, which repairs it" in result.err
    assert rich.run("build-feeds").code == 1
    copied(rich, rich.store, url)


def test_a_store_in_use_is_waited_for(built: Site) -> None:
    from aggregator.store.lock import exclusive

    with exclusive(built.store.with_name("aggregator.db.lock"), 0, "somebody"):
        result = built.run("store", "copy", str(built.store), "new.db", "--wait", "0.1")
    assert result.code == 75
    assert "somebody" in result.err
    assert not (built.root / "new.db").exists()


@pytest.mark.parametrize(
    "kind", ["postgresql", pytest.param("sqlite", marks=pytest.mark.exhaustive)]
)
def test_killed_in_the_middle_it_leaves_no_store(built: Site, kind: str) -> None:
    with contextlib.closing(sqlite3.connect(built.store)) as connection:
        connection.execute(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) "
            "insert into problem select 1000 + i, 'o', i, 1, hex(zeroblob(150)), 1 from n"
        )
        connection.commit()
    before = rows_of(built.store)
    target = new_database() if kind == "postgresql" else built.root / "new.db"

    def is_under_way() -> bool:
        if isinstance(target, Path):
            partial = target.with_name("new.db.copying")
            return partial.exists() and partial.stat().st_size > 100_000
        with psycopg.connect(target, autocommit=True) as connection:
            rows = connection.execute("SELECT tuples_processed FROM pg_stat_progress_copy")
            return any(count > 100 for (count,) in rows)

    command = [str(COMMAND), "store", "copy", str(built.store), str(target)]
    with subprocess.Popen(command, cwd=built.root) as process:
        wait_for(is_under_way, 20)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    if isinstance(target, Path):
        assert not target.exists()
    copied(built, built.store, target)
    assert rows_of(target) == before == rows_of(built.store)
    assert list(built.root.glob("*.copying*")) == []


def test_a_full_disk_leaves_nothing(rich: Site) -> None:
    limited = ("sh", "-c", 'ulimit -f 100; exec "$@"', "sh")
    result = rich.run("store", "copy", str(rich.store), "new.db", prefix=limited)
    assert result.code == 1
    assert "new.db" in result.err
    assert "Traceback" not in result.err
    assert [path.name for path in rich.root.glob("new.db*") if path.suffix != ".lock"] == []
