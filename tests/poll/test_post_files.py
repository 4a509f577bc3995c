"""One poll of posts folders, and what is left of folders that are no longer configured."""

import datetime
from pathlib import Path

import pytest
from configured import settings_with
from conftest import article

from aggregator.model.summaries import PollSummary
from aggregator.origins.from_settings import posts_folders
from aggregator.poll import post_files
from aggregator.poll.ingest import MergeRules
from aggregator.store.articles import count_articles
from aggregator.store.copies import copy_locations
from aggregator.store.database import Store
from aggregator.store.origins import known_origins
from aggregator.store.problems import count

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A site with two folders of posts, a and b."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}1.md").write_text(article(f"T{name}"), "utf-8")
    return tmp_path


def poll(store: Store, root: Path, number: int = 1, **options: bool) -> PollSummary:
    posts = [
        {"path": "a", "layout": "plain"},
        {"path": "b", "layout": "plain", "when_removed": "drop"},
    ]
    settings = settings_with(base=root, posts=posts)
    rules = MergeRules.of(settings)
    return post_files.poll(store, posts_folders(settings), rules, number, NOW, **options)


def test_what_changed_is_merged_and_counted(store: Store, root: Path) -> None:
    first = poll(store, root)
    assert (first.new, first.read, first.gone, first.failures) == (2, 2, 0, [])
    (root / "a" / "2.md").write_text(article("neu"), "utf-8")
    (root / "b" / "b1.md").unlink()
    second = poll(store, root, 2, allow_empty=True)
    assert (second.new, second.removed, second.gone) == (1, 1, 1)
    third = poll(store, root, 3, read_all=True)
    assert (third.read, sum(third.by_kind().values())) == (2, 0)


def test_a_folder_that_cannot_be_read_stops_no_other(store: Store, root: Path) -> None:
    poll(store, root)
    (root / "a" / "a1.md").unlink()
    (root / "a").rmdir()
    (root / "b" / "2.md").write_text(article("neu"), "utf-8")
    summary = poll(store, root, 2)
    assert summary.new == 1
    (failure,) = summary.failures
    assert str(root / "a") in failure
    with store.transaction() as connection:
        assert count_articles(connection) == 3


def test_a_folder_that_is_no_longer_configured_is_forgotten(store: Store, root: Path) -> None:
    (root / "b" / "bad.md").write_text("kein Beitrag", "utf-8")
    poll(store, root)
    names = ("posts:a/*.md", "posts:b/*.md")
    rules = MergeRules({names[0]: 0}, frozenset(), "https://finews.example.org/")
    with store.transaction() as connection:
        assert count(connection) == 1
    post_files.forget_others(store, [names[0]], rules, 2, NOW)
    with store.transaction() as connection:
        assert known_origins(connection) == [names[0]]
        assert copy_locations(connection, names[1]) == []
        assert count(connection) == 0
        # Its articles stay, as `when_removed` is no longer there to drop them.
        assert count_articles(connection) == 2
