"""The search index as a part of a build."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from conftest import Site, article

pytestmark = pytest.mark.sqlite


def post(site: Site, number: int, text: str) -> Path:
    date = f"2022-01-27 10:{number:02d}:00 +0800"
    return site.post(
        f"2022-01-27-p{number}.md", article(f"标题{number}", f"<p>{text}</p>", date=date)
    )


def index(site: Site) -> Path:
    return site.root / "var" / "aggregator.db.search"


def titles(site: Site, *words: str) -> list[str]:
    result = site.run("search", *words, "--json")
    assert result.code == 0, result.err
    return [found["title"] for found in result.json]


@pytest.fixture
def searched(site: Site) -> Site:
    for number in range(3):
        post(site, number, f"港口{number}")
    site.build()
    assert not index(site).exists()
    # The first search makes the index.
    assert len(titles(site, "港口")) == 3
    return site


def test_a_build_indexes_what_is_new_and_what_changed(searched: Site) -> None:
    post(searched, 7, "港口七")
    post(searched, 1, "机场")
    searched.build()
    before = index(searched).stat().st_mtime_ns
    assert titles(searched, "港口") == ["标题7", "标题2", "标题0"]
    assert titles(searched, "机场") == ["标题1"]
    # The search had nothing to catch up with.
    assert index(searched).stat().st_mtime_ns == before


def test_without_changes_the_index_is_not_opened(searched: Site) -> None:
    # The first build after the search compares the index with all articles.
    searched.build("--full")
    index(searched).write_bytes(b"damaged")
    (searched.feeds / "all.atom").unlink()
    searched.build()
    assert index(searched).read_bytes() == b"damaged"
    assert (searched.feeds / "all.atom").exists()


def test_an_index_that_was_deleted_is_made_by_the_next_search(searched: Site) -> None:
    index(searched).unlink()
    post(searched, 7, "港口七")
    searched.build("--full")
    assert not index(searched).exists()
    assert len(titles(searched, "港口")) == 4


def test_a_damaged_index_is_made_again(searched: Site) -> None:
    index(searched).write_bytes(b"damaged")
    post(searched, 7, "港口")
    assert searched.build().err == ""
    assert len(titles(searched, "港口")) == 4


def test_a_full_build_finds_damage_that_hides_articles(searched: Site) -> None:
    """The library does not notice it."""
    with contextlib.closing(sqlite3.connect(index(searched))) as connection, connection:
        connection.execute("DELETE FROM words_idx")
        connection.execute("UPDATE words_data SET block = zeroblob(8) WHERE id > 10")
    searched.build("--full")
    assert len(titles(searched, "港口")) == 3
    assert len(titles(searched, "标题")) == 3


def test_feeds_do_not_need_the_index(searched: Site) -> None:
    index(searched).unlink()
    index(searched).mkdir()
    post(searched, 7, "港口")
    result = searched.build()
    assert "the search index was left as it is" in result.err
    assert searched.entries()[0].title == "标题7"
    index(searched).rmdir()
    assert len(titles(searched, "港口")) == 4


def test_a_build_of_one_source_or_a_dry_run_leaves_it_alone(searched: Site) -> None:
    before = index(searched).read_bytes()
    post(searched, 7, "港口")
    searched.build("--dry-run")
    searched.build("--source", "huaxiashibao")
    assert index(searched).read_bytes() == before
    searched.build()
    assert index(searched).read_bytes() != before
    assert len(titles(searched, "港口")) == 4


def test_articles_that_left_the_folder_are_found(searched: Site) -> None:
    for path in searched.posts.iterdir():
        path.unlink()
    post(searched, 7, "机场")
    searched.build()
    assert len(titles(searched, "港口")) == 3
