"""The store on its own: migrations, transactions, locks, one batch at a time."""

import contextlib
import datetime
import fcntl
import sqlite3
import zlib
from pathlib import Path

import pytest

from aggregator.model.articles import Copy, Problem
from aggregator.model.errors import DamagedStoreError, LockedError, StoreError
from aggregator.model.packing import pack, unpack
from aggregator.model.polls import Batch, FileState
from aggregator.poll.ingest import MergeRules
from aggregator.poll.ingest import apply as _apply
from aggregator.store import migrations
from aggregator.store.articles import articles_of, bodies_of, prune_bodies, revisions_of
from aggregator.store.database import Store
from aggregator.store.lock import exclusive
from aggregator.store.origins import file_states, finish_poll, save_states, start_poll
from aggregator.store.problems import open_problems

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
CODE = "NW202201272264567295"
RULES = MergeRules({"posts:a": 0, "posts:b": 1}, frozenset({"posts:b"}), "https://e.example/")


# A store of every version that was released, and of states between them.
STORES = sorted((Path(__file__).parents[1] / "data" / "store").glob("*.sql"))


def copy(location: str, text: str, origin: str = "posts:a", code: str = CODE) -> Copy:
    return Copy(
        origin=origin,
        location=location,
        code=code,
        source="a",
        source_name="甲",
        title="标题",
        published=NOW,
        published_guess=NOW,
        body=pack(text),
        media_type="text/html",
        raw_hash=text.encode(),
    )


def apply(store: Store, batch: Batch, poll: int = 1, days: int = 0) -> list[str]:
    with store.transaction() as connection:
        changes = _apply(connection, batch, RULES, poll, NOW + datetime.timedelta(days=days))
    return [change.kind for change in changes]


def article(store: Store):
    with store.transaction() as connection:
        return articles_of(connection, [CODE])[CODE]


def test_a_new_store_knows_its_version_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.db"
    with Store(path) as store:
        assert store.is_new
    with Store(path) as store:
        assert not store.is_new
    with contextlib.closing(sqlite3.connect(path)) as connection:
        numbers = connection.execute("select number from migration").fetchall()
    assert numbers == [(number + 1,) for number in range(migrations.VERSION)]


def shape_of(connection: sqlite3.Connection) -> dict[str, object]:
    """The tables with their columns, and the indexes."""
    tables = connection.execute("select name, type, tbl_name from sqlite_master").fetchall()
    found: dict[str, object] = {}
    for name, kind, table in tables:
        if kind == "table":
            columns = connection.execute(f"pragma table_info({name})").fetchall()
            # Less the defaults: a column that is added needs one.
            found[name] = sorted((*column[1:4], column[5]) for column in columns)
        else:
            found[name] = (table, connection.execute(f"pragma index_info({name})").fetchall())
    return found


@pytest.mark.parametrize("path", STORES, ids=lambda path: path.stem)
def test_an_older_store_becomes_what_a_new_one_is(tmp_path: Path, path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.executescript(path.read_text("utf-8"))
    connection.close()
    with Store(tmp_path / "old.db") as store:
        assert not store.is_new
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "a"),))) == ["new"]
    Store(tmp_path / "new.db").close()
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "old.db")) as old,
        contextlib.closing(sqlite3.connect(tmp_path / "new.db")) as new,
    ):
        shape = shape_of(old)
        assert shape == shape_of(new)
        assert "url" in shape
        numbers = old.execute("select number from migration").fetchall()
        assert numbers == [(number + 1,) for number in range(migrations.VERSION)]


def test_texts_of_version_1_are_packed_again(tmp_path: Path) -> None:
    """A damaged one stays, and is a problem when it is read; nothing else is rewritten."""
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((STORES[0].parent / "4.sql").read_text("utf-8"))
        damaged = zlib.compress("正文".encode())[:-1]
        no_text = zlib.compress(b"\xff")
        long = "长" * 1_000_000
        values = [(901, damaged), (902, no_text), (903, zlib.compress(long.encode()))]
        connection.executemany("insert into body values (?, ?)", [*values, (904, pack("新"))])
        query = "select body_id, text from body where body_id < 900"
        texts = {
            number: zlib.decompress(text).decode() if text[:1] == b"x" else unpack(text)
            for number, text in connection.execute(query)
        }
        assert any(text[:1] == b"x" for _, text in connection.execute(query))
    connection.close()
    with Store(path) as store, store.transaction() as connection:
        found = bodies_of(connection, [*texts, 901, 902, 903, 904])
    assert {number: unpack(found[number]) for number in texts} == texts
    assert (found[901], found[902], found[904]) == (damaged, no_text, pack("新"))
    assert unpack(found[903]) == long
    with pytest.raises(DamagedStoreError):
        unpack(found[901])


def test_a_store_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("insert into migration values (999, 0)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Store(path)
    assert path.read_bytes() == before


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


def test_files_come_back_in_the_order_of_their_paths_over_many_pages(tmp_path: Path) -> None:
    paths = sorted(["é", "Z", "a", "中", "😀", *(f"{n:05d}" for n in range(12_000))])
    with Store(tmp_path / "store.db") as store:
        states = tuple(FileState(path, 1, 2, 3, 4, b"h") for path in reversed(paths))
        with store.transaction() as connection:
            save_states(connection, Batch("posts:a", states=states))
        found = [state.path for state in file_states(store.transaction, "posts:a")]
    assert found == paths


def test_a_second_copy_in_the_same_poll_is_no_revision(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "eins"),))) == ["new"]
        assert apply(store, Batch("posts:a", copies=(copy("2.md", "zwei"),))) == ["found better"]
        assert (article(store).revision, article(store).updated) == (1, None)


def test_another_text_in_a_later_poll_is_a_revision(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "<p>eins"),)))
        noise = copy("1.md", "<p class=x>eins</p>")
        assert apply(store, Batch("posts:a", copies=(noise,)), 2, 1) == ["invisible"]
        assert article(store).updated is None
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "zwei"),)), 3, 2) == ["revised"]
        assert article(store).updated == NOW + datetime.timedelta(days=2)
        newest = article(store)
        with store.transaction() as connection:
            history = revisions_of(connection, newest)
        assert [(one.number, one.text) for one in history] == [
            (1, "<p class=x>eins</p>"),
            (2, "zwei"),
        ]


def test_the_first_origin_of_the_config_is_shown(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        apply(store, Batch("posts:b", copies=(copy("1.md", "b", "posts:b"),)))
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        assert article(store).raw_hash == b"a"


def test_the_last_copy_gone_drops_or_keeps_as_its_origin_says(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        apply(store, Batch("posts:b", copies=(copy("1.md", "b", "posts:b"),)))
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        assert apply(store, Batch("posts:a", gone=("1.md",)), 2) == ["revised"]
        assert apply(store, Batch("posts:b", gone=("1.md",)), 3) == ["removed"]
        back = Batch("posts:b", copies=(copy("1.md", "b", "posts:b"),))
        assert apply(store, back, 4) == ["returned"]
        assert article(store).first_seen == NOW


def test_a_post_that_becomes_another_article_takes_the_old_one_along(tmp_path: Path) -> None:
    other = "NW202201270000000001"
    with Store(tmp_path / "store.db") as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        moved = Batch("posts:a", copies=(copy("1.md", "a", code=other),))
        assert sorted(apply(store, moved, 2)) == ["new", "removed"]


def test_a_problem_keeps_its_date_and_goes_with_its_reason(tmp_path: Path) -> None:
    def problems(store: Store) -> list[tuple[str, datetime.datetime]]:
        with store.transaction() as connection:
            return [(found.reason, since) for _, found, since in open_problems(connection)]

    bad = Batch("posts:a", problems=(Problem("1.md", "bad", 3),), read=("1.md",))
    with Store(tmp_path / "store.db") as store:
        apply(store, bad)
        apply(store, bad, 2, 5)
        assert problems(store) == [("bad", NOW)]
        apply(store, Batch("posts:a", read=("1.md",)), 3)
        assert problems(store) == []


def test_a_killed_poll_is_gone_on_with(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        with store.transaction() as connection:
            first = start_poll(connection)
        with store.transaction() as connection:
            assert start_poll(connection) == first
            finish_poll(connection, first)
        with store.transaction() as connection:
            assert start_poll(connection) == first + 1


def test_texts_that_nothing_refers_to_are_pruned(tmp_path: Path) -> None:
    with Store(tmp_path / "store.db") as store:
        for poll, text in enumerate(("<p>eins", "<p class=x>eins</p>", "zwei"), 1):
            apply(store, Batch("posts:a", copies=(copy("1.md", text),)), poll)
        with store.transaction() as connection:
            prune_bodies(connection)
            texts = bodies_of(connection, range(10))
        assert sorted(texts.values()) == sorted([pack("<p class=x>eins</p>"), pack("zwei")])


def test_tidying_leaves_everything_in_one_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path) as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        store.tidy()
        assert article(store).title == "标题"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("select count(*) from article").fetchone() == (1,)


def test_the_lock_is_one_and_names_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db.lock"
    path.write_text("process 1 (stale)")
    held = exclusive(path, 0, "the first")
    with held, pytest.raises(LockedError, match=r"process \d+ \(the first\)"):
        exclusive(path, 0, "the second").__enter__()
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
