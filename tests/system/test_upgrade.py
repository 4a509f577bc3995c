"""Stores of older programs, moved and copied sites, restored stores: all go on as they should."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import COMMAND, Site, article, share_url
from system.documents import dates_of, expected_of
from system.oracle import assert_sound

import aggregator

STORES = sorted((Path(__file__).parents[1] / "data" / "store").glob("*.sql"))
SMALL = "  entries: 5\n  combined_entries: 10\n"
# What the stores were made from: their posts, those that were revised, the one removed.
POSTS = {"3-doubled": 45}
REVISED = {"3-doubled": {20, *range(0, 36, 3)}}
REMOVED = 23


def code(number: int) -> str:
    return f"NW20220127{number:010d}"


def plant(site: Site, numbers: range, revised: set[int] = frozenset()) -> None:
    for number in numbers:
        text = "更正" if number in revised else "正文"
        post = article(
            f"标题{number}",
            f"<p>{text}{number}。</p>",
            date=f"2022-01-27 00:{number:02d}:00 +0800",
            source=f"source{number % 3}",
            name=f"来源{number % 3}",
            share=share_url(code(number)),
        )
        site.post(f"2022-01-27-{code(number)}.md", post.partition("\n[返回")[0])


@pytest.mark.parametrize("dump", STORES, ids=lambda path: path.stem)
def test_a_site_with_the_store_of_an_older_program_goes_on(site: Site, dump: Path) -> None:
    """All of its articles stand where they should once, and doubled archives are repaired."""
    site.configure(lambda text: text + SMALL)
    count, revised = POSTS.get(dump.stem, 24), REVISED.get(dump.stem, {20})
    plant(site, range(count), revised)
    expected = expected_of(site.posts, revised=[code(number) for number in revised])
    (site.posts / f"2022-01-27-{code(REMOVED)}.md").unlink()
    site.store.parent.mkdir()
    with sqlite3.connect(site.store) as connection:
        connection.executescript(dump.read_text("utf-8"))
    connection.close()
    site.build()
    assert_sound(site, expected)
    plant(site, range(count, count + 9))
    site.build()
    more = expected_of(site.posts, revised=[code(number) for number in revised])
    assert_sound(site, [*more, *(item for item in expected if item.code == code(REMOVED))])


def test_healing_removes_the_documents_that_held_nothing_but_doubles(site: Site) -> None:
    site.configure(lambda text: text + SMALL)
    plant(site, range(45), REVISED["3-doubled"])
    archives = site.feeds / "archives" / "sources"
    archives.mkdir(parents=True)
    for number in range(1, 7):
        (archives / f"source0.{number}.atom").write_text("<feed/>")
    site.store.parent.mkdir()
    with sqlite3.connect(site.store) as connection:
        connection.executescript((STORES[0].parent / "3-doubled.sql").read_text("utf-8"))
    connection.close()
    site.build()
    # Fifteen articles, five of them in the window, ten archived and then corrected.
    left = sorted(path.name for path in archives.glob("source0.*"))
    assert left == [f"source0.{number}.atom" for number in range(1, 5)]


def test_a_store_between_versions_is_refused_whole(site: Site) -> None:
    """What cannot be brought up to date stays as it was, for the program that can read it."""
    site.store.parent.mkdir()
    with sqlite3.connect(site.store) as connection:
        connection.executescript((STORES[0].parent / "1.sql").read_text("utf-8"))
        connection.execute("alter table article drop column share_url")
    connection.close()
    before = site.store.read_bytes()
    site.post("1.md", article())
    result = site.build(expect=1)
    assert "article has no share_url" in result.err
    assert site.store.read_bytes() == before


def test_another_program_of_the_same_version_looks_at_everything(
    site: Site, tmp_path: Path
) -> None:
    package = tmp_path / "other" / "aggregator"
    shutil.copytree(Path(aggregator.__file__).parent, package)

    def build() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "aggregator", "build-feeds"],
            cwd=site.root,
            env={**os.environ, "PYTHONPATH": str(package.parent)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    path = site.post("1.md", article())
    os.utime(path, (1e9, 1e9))
    build()
    assert "nothing changed" in build()
    os.utime(package / "articles" / "sanitize.py")
    assert "nothing changed" not in build()
    assert "nothing changed" in build()


def test_a_site_that_was_moved_is_current_and_a_copy_is_looked_at(
    site: Site, tmp_path: Path
) -> None:
    path = site.post("1.md", article("eins"))
    os.utime(path, (1e9, 1e9))
    site.build()
    moved, copied = tmp_path / "moved", tmp_path / "copied"

    def build(root: Path) -> str:
        done = subprocess.run(
            [COMMAND, "build-feeds", "--config", root / "config.yaml"],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    site.root.rename(moved)
    assert "nothing changed: 1 article," in build(moved)
    shutil.copytree(moved, copied)
    shutil.rmtree(copied / "feeds")
    build(copied)
    built, original = (root / "feeds" / "all.atom" for root in (copied, moved))
    assert built.read_bytes() == original.read_bytes()


def test_an_older_store_put_back_publishes_what_is_in_the_folder(site: Site) -> None:
    """A restored backup: the feeds are those of the folder, with the dates they had."""
    site.configure(lambda text: text + SMALL)
    plant(site, range(20))
    site.build()
    saved = site.store.read_bytes()
    plant(site, range(20, 26))
    site.build()
    expected, before = expected_of(site.posts), dates_of(site)
    site.store.write_bytes(saved)
    site.build()
    assert_sound(site, expected, before=before)
