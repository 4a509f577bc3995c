"""The folders of the articles' pages: one that changed since it was saved may lack a page."""

import contextlib
import shutil
import sqlite3

import pytest
from conftest import Site
from read_site import FORMATS, add, page_of, text


@pytest.fixture
def readable(site: Site) -> Site:
    site.configure(lambda text: text + FORMATS)
    return site


@pytest.mark.sqlite
def test_lists_do_not_make_the_next_build_look_for_missing_pages(readable: Site) -> None:
    for number in (1, 2):
        add(readable, number, date=f"2022-01-1{number} 10:00:00 +0800")
        readable.build()
        assert f"标题{number}" in text(readable, "articles/2022/01/index.html")
        with contextlib.closing(sqlite3.connect(readable.store)) as connection:
            saved = connection.execute("SELECT path, mtime_ns FROM page_folder").fetchall()
        folder = readable.feeds / "articles/2022/01"
        assert saved == [("articles/2022/01", folder.stat().st_mtime_ns)]


def test_missing_pages_are_made_again(readable: Site) -> None:
    for number in range(3):
        add(readable, number)
    readable.build()
    before = {path: path.read_bytes() for path in readable.feeds.rglob("*.html")}
    (readable.feeds / page_of(1)).unlink()
    readable.build()
    assert (readable.feeds / page_of(1)).read_bytes() == before[readable.feeds / page_of(1)]
    shutil.rmtree(readable.feeds / "articles")
    readable.build()
    assert {path: path.read_bytes() for path in readable.feeds.rglob("*.html")} == before
    # A full build compares bytes.
    changed = readable.feeds / page_of(2)
    changed.write_bytes(changed.read_bytes()[::-1])
    readable.build("--full")
    assert changed.read_bytes() == before[changed]


def test_what_a_killed_run_left_is_cleaned_up(readable: Site) -> None:
    add(readable, 1)
    readable.build()
    leftover = readable.feeds / "articles/2022/01/.aggregator-0123.tmp"
    leftover.write_text("half a page")
    readable.build()
    assert not leftover.exists()
