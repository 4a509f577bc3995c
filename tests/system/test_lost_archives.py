"""Archives that outlive the store, and articles that only they know."""

import contextlib
import shutil
import sqlite3
import threading

import pytest
from conftest import Site
from system.documents import dates_of, expected_of
from system.oracle import assert_sound
from system.situations import ARCHIVES, BUILT, CHANGED
from system.stories import Story, plant, stories

from aggregator.store.salvage import salvage

FIRST = "archives/all.1.atom"


@pytest.fixture
def lost(site: Site) -> Site:
    """A site of thirty articles whose store was lost and made again."""
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(30), BUILT - 100)
    site.build()
    shutil.rmtree(site.store.parent)
    site.build()
    return site


@pytest.fixture
def orphaned(site: Site) -> Site:
    """The same, of which only the archives know the first two articles."""
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(30), BUILT - 100)
    site.build()
    for story in stories(2):
        (site.posts / story.file).unlink()
    shutil.rmtree(site.store.parent)
    site.build()
    return site


def codes_in(site: Site, path: str) -> set[str]:
    return {entry.id.rpartition(":")[2] for entry in site.entries(path)}


def withdraw(site: Site, story: Story) -> None:
    path = site.posts / story.file
    path.write_text(path.read_text("utf-8").replace("layout: post", "published: false"), "utf-8")


@pytest.mark.parametrize("damage", ["torn", "removed"])
def test_a_document_is_made_again_after_the_store_was(lost: Site, damage: str) -> None:
    path = lost.feeds / FIRST
    if damage == "torn":
        path.write_bytes(path.read_bytes()[:300])
    else:
        path.unlink()
    lost.build()
    assert_sound(lost, expected_of(lost.posts))


def test_a_document_that_was_torn_before_the_store_was_lost(site: Site) -> None:
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(30), BUILT - 100)
    site.build()
    shutil.rmtree(site.store.parent)
    path = site.feeds / FIRST
    path.write_bytes(path.read_bytes()[:-300])
    site.build()
    assert_sound(site, expected_of(site.posts))


def test_what_is_withdrawn_leaves_documents_that_alone_know_others(orphaned: Site) -> None:
    before = codes_in(orphaned, FIRST)
    gone = stories(2, 3)[0]
    assert gone.code in before
    withdraw(orphaned, gone)
    orphaned.build()
    assert codes_in(orphaned, FIRST) == before - {gone.code}
    assert all(gone.code not in path.read_text("utf-8") for path in orphaned.feeds.rglob("*.atom"))


@pytest.mark.sqlite
@pytest.mark.parametrize("damage", ["torn", "removed"])
def test_the_loss_of_what_a_document_alone_knew_is_told(orphaned: Site, damage: str) -> None:
    path = orphaned.feeds / FIRST
    saved = path.read_bytes()
    if damage == "torn":
        path.write_bytes(saved[:300])
    else:
        path.unlink()
    result = orphaned.build(expect=1)
    assert f"{path}: is " in result.err
    assert "known from it alone" in result.err
    if damage == "torn":
        assert "restore it from a backup" in orphaned.build(expect=1).err
    path.write_bytes(saved)
    orphaned.build()
    if damage == "torn":
        assert {story.code for story in stories(2)} <= codes_in(orphaned, FIRST)


def test_compressed_files_are_made_of_documents_that_alone_know_others(orphaned: Site) -> None:
    orphaned.configure(lambda text: text.replace("compress: [gzip]", "compress: [gzip, br]"))
    orphaned.build()
    assert (orphaned.feeds / f"{FIRST}.br").exists()


def test_what_changes_while_archives_are_off_is_archived_when_they_are_on(site: Site) -> None:
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(30), BUILT - 100)
    site.build()
    site.configure(lambda text: text + "  archives: false\n")
    site.build()
    revised = [story.revised() for story in stories(0, 10, 3)]
    plant(site.posts, revised, CHANGED - 100)
    withdraw(site, stories(1, 2)[0])
    site.build()
    site.configure(lambda text: text.replace("  archives: false\n", ""))
    site.build()
    expected = expected_of(site.posts, revised=[story.code for story in revised])
    assert_sound(site, [item for item in expected if item.code != stories(1, 2)[0].code])


def test_an_article_stands_once_in_the_open_document(site: Site) -> None:
    site.configure(lambda text: text + "  entries: 5\n  combined_entries: 10\n")
    plant(site.posts, stories(12), BUILT - 100)
    site.build()
    (story,) = stories(0, 1)
    for number in range(2):
        story = story.revised()
        plant(site.posts, [story], CHANGED - 100 + number)
        site.build()
    assert_sound(site, expected_of(site.posts, revised=[story.code]))
    archived = [entry.id for entry in site.entries(FIRST)]
    assert len(archived) == len(set(archived))


@pytest.mark.parametrize("kind", ["extra", "tags"])
def test_dates_that_one_kind_of_feed_alone_shows_outlive_the_store(site: Site, kind: str) -> None:
    option = "tags: true" if kind == "tags" else "extra: {old: {words: [第1版]}}"
    site.configure(
        lambda text: text + f"  entries: 1\n  combined_entries: 1\n  archives: false\n  {option}\n"
    )
    plant(site.posts, stories(6), BUILT - 100)
    if kind == "tags":
        for number in range(6):
            path = site.posts / stories(number, number + 1)[0].file
            path.write_text(
                path.read_text("utf-8").replace("tags: ", f"tags: [wort{number}, "), "utf-8"
            )
            path.write_text(path.read_text("utf-8").replace("新闻\n---", "新闻]\n---"), "utf-8")
    site.build()
    path = site.posts / stories(0, 1)[0].file
    path.write_text(path.read_text("utf-8").replace("第0版", "第1版"), "utf-8")
    site.build()
    before = dates_of(site)
    assert any(updated != published for published, updated in before.values())
    shutil.rmtree(site.store.parent)
    site.build()
    assert dates_of(site) == before


def test_a_page_in_a_wrong_place_does_not_hold_salvage_up(lost: Site) -> None:
    """A leaf that holds an earlier one again, and one behind it that is empty."""
    with contextlib.closing(sqlite3.connect(lost.store)) as connection, connection:
        connection.execute("create table filled (number integer primary key, text text not null)")
        connection.executemany(
            "insert into filled values (?, ?)", [(n, "x" * 300) for n in range(1, 400)]
        )
        size = connection.execute("pragma page_size").fetchone()[0]
    data = bytearray(lost.store.read_bytes())
    leaves = [
        start
        for start in range(0, len(data), size)
        if data[start] == 13 and b"x" * 300 in data[start : start + size]
    ]
    data[leaves[5] : leaves[5] + size] = data[leaves[2] : leaves[2] + size]
    data[leaves[7] : leaves[7] + size] = bytes(size)
    lost.store.write_bytes(data)
    target = lost.root / "salvaged.db"
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(salvage(lost.store, target)), daemon=True)
    thread.start()
    thread.join(30)
    assert found == [["filled"]]
    with contextlib.closing(sqlite3.connect(target)) as connection:
        assert connection.execute("select count(*) from filled").fetchone()[0] > 300
        assert connection.execute("select count(*) from article").fetchone() == (30,)


@pytest.mark.sqlite
def test_a_missing_document_costs_no_other_one_after_the_store_was_lost(site: Site) -> None:
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(40), BUILT - 100)
    site.build()
    kept = {path: path.read_bytes() for path in site.feeds.glob("archives/all.*.atom")}
    for story in stories(35):
        (site.posts / story.file).unlink()
    shutil.rmtree(site.store.parent)
    missing = site.feeds / "archives" / "all.2.atom"
    missing.unlink()
    site.build()
    plant(site.posts, stories(40, 60), CHANGED - 100)
    site.build()
    assert {path: path.read_bytes() for path in kept if path != missing} == {
        path: data for path, data in kept.items() if path != missing
    }
    assert missing.exists()


def test_an_older_store_put_back_overwrites_no_document(site: Site) -> None:
    site.configure(lambda text: text + ARCHIVES)
    plant(site.posts, stories(30), BUILT - 100)
    site.build()
    saved = site.store.read_bytes()
    plant(site.posts, stories(30, 60), CHANGED - 100)
    site.build()
    for story in stories(30, 50):
        (site.posts / story.file).unlink()
    site.build()
    newer = {path: path.read_bytes() for path in site.feeds.glob("archives/all.[45].atom")}
    site.store.write_bytes(saved)
    plant(site.posts, stories(60, 80), CHANGED - 50)
    site.build()
    assert {path: path.read_bytes() for path in newer} == newer
