"""The manifest: what was published, and what the next build has to look at."""

import dataclasses
import datetime

import pytest
from merging import NOW, apply, copy
from sqlalchemy import text

from aggregator.model.errors import DamagedStoreError
from aggregator.model.feeds import Activity, Archive, FeedState, Headline, PublishedFile
from aggregator.model.polls import Batch
from aggregator.store import archive_places, published
from aggregator.store.database import Store

LATER = NOW + datetime.timedelta(days=1)


def file(path: str, size: int = 1) -> PublishedFile:
    return PublishedFile(path, size, 2, 3)


def state(key: str, *paths: str) -> FeedState:
    newest = (Headline("标题", "http://a.example/", NOW),)
    activity = Activity(3, ((738_000, 2), (738_001, 1)), newest)
    files = tuple(file(path) for path in paths)
    return FeedState(key, "甲", b"r", b"f", 3, NOW, NOW, files, activity)


def test_a_feed_is_read_as_it_was_saved_and_keeps_no_other_files(store: Store) -> None:
    with store.transaction() as connection:
        published.save_feeds(
            connection, [state("all", "all.atom", "all.rss"), state("b", "b.atom")]
        )
        after = state("all", "all.atom", "all.json")
        published.save_feeds(connection, [after])
        assert published.feed_states(connection) == {"all": after, "b": state("b", "b.atom")}
        assert published.paths(connection) == ["all.atom", "all.json", "b.atom"]


def test_documents_and_files_of_the_page_are_told_apart_from_feeds(store: Store) -> None:
    with store.transaction() as connection:
        published.save_feeds(connection, [state("all", "all.atom")])
        published.save_files_of(connection, {("all", 1): [file("archives/all.1.atom")]})
        pages = [(b"x", file("index.html")), (b"y", file("feed.css"))]
        published.save_page_files(connection, pages, [])
        published.save_page_files(connection, [(b"z", file("index.html", 9))], ["feed.css"])
        assert published.page_files(connection) == {"index.html": (b"z", file("index.html", 9))}
        assert published.documents(connection) == [("all", 1, file("archives/all.1.atom"))]
        assert published.feed_states(connection) == {"all": state("all", "all.atom")}
        assert published.paths_of(connection, ["all"]) == ["all.atom", "archives/all.1.atom"]


def test_a_document_that_no_archive_has_is_stray(store: Store) -> None:
    with store.transaction() as connection:
        archive_places.save(connection, "all", [Archive(1, ())])
        files = {("all", n): [file(f"archives/all.{n}.atom")] for n in (1, 2)}
        published.save_files_of(connection, files)
        assert published.stray_paths(connection) == ["archives/all.2.atom"]
        published.forget_paths(connection, ["archives/all.2.atom"])
        assert published.stray_paths(connection) == []


def test_a_feed_that_is_not_wanted_any_more_is_forgotten_with_its_archive(store: Store) -> None:
    with store.transaction() as connection:
        published.save_feeds(connection, [state("a", "a.atom"), state("b", "b.atom")])
        published.save_files_of(connection, {("a", 1): [file("archives/a.1.atom")]})
        archive_places.save(connection, "a", [Archive(1, ())])
        archive_places.save_places(connection, "a", 1, [("x", 1)])
        archive_places.save_progress(connection, "a", 1, set(), {"y"})
        published.forget_feeds(connection, ["a"])
        assert list(published.feed_states(connection)) == ["b"]
        assert published.paths(connection) == ["b.atom"]
        assert archive_places.newest(connection, "a") is None
        assert archive_places.progress(connection, "a") is None
        assert archive_places.unplaced(connection, "a") == set()


@pytest.mark.parametrize(
    ("has_archives", "is_archived", "kept"),
    [(True, True, False), (False, True, True), (False, False, False)],
)
def test_after_a_build_only_what_failed_is_dirty(
    store: Store, has_archives: bool, is_archived: bool, kept: bool
) -> None:
    apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
    apply(store, Batch("posts:a", copies=(copy("1.md", "b"),)), 2)
    with store.transaction() as connection:
        code = copy("1.md", "").code
        assert published.dirty_sources(connection) == {"a"}
        assert published.changed_codes(connection) == {code: True}
        published.save_feeds(connection, [state("all"), state("source:a")])
        published.mark_dirty(connection, ["all", "source:a"])
        if is_archived:
            archive_places.save_progress(connection, "all", 1, set(), set())
        published.feeds_are_current(connection, LATER, ["all"], has_archives=has_archives)
        assert published.dirty_sources(connection) == set()
        assert published.dirty_feeds(connection) == {"all"}
        assert published.changed_codes(connection) == ({code: True} if kept else {})
        states = published.feed_states(connection).values()
        assert {found.checked_at for found in states} == {LATER}


def test_an_activity_that_is_none_is_damage(store: Store) -> None:
    with store.transaction() as connection:
        published.save_feeds(connection, [dataclasses.replace(state("all"), activity=Activity())])
        connection.execute(text("update feed set activity = '[1, [2], []]'"))
    with (
        pytest.raises(DamagedStoreError, match="the record of the feed all cannot be read"),
        store.transaction() as connection,
    ):
        published.feed_states(connection)
