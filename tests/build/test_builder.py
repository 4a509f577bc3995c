"""Which articles a feed shows."""

import datetime
import shutil
from pathlib import Path
from typing import Any

import pytest
from configured import settings_with
from conftest import Site, article, share_url
from merging import NOW, apply, code_of, copy

from aggregator.build import builder
from aggregator.model.errors import UnknownSourceError
from aggregator.model.polls import Batch
from aggregator.model.summaries import BuildSummary
from aggregator.publish.files import Folder
from aggregator.publish.publication import Publication
from aggregator.store.database import Store


def test_newest_first_then_by_code_and_no_more_than_asked_for(site: Site) -> None:
    site.configure(lambda text: text + "  entries: 3\n  combined_entries: 4\n")
    for number in (3, 1, 5, 2, 4):
        code = f"NW20220127000000000{number}"
        day = 27 if number > 1 else 28
        site.post(
            f"x{number}.md", article(str(number), date=f"2022-01-{day}", share=share_url(code))
        )
    site.build()
    assert [entry.title for entry in site.entries()] == ["1", "5", "4", "3"]
    assert len(site.entries("sources/huaxiashibao.atom")) == 3


URL = "https://finews.example.org/feeds/"
DAY = datetime.timedelta(days=1)


def fill(store: Store) -> None:
    """An article of each of two sources; that of b is scheduled for tomorrow."""
    copies = tuple(
        copy(f"{n}.md", "x", code=code_of(n), source=source, published=date)
        for n, source, date in ((1, "a", NOW), (2, "b", NOW + DAY))
    )
    apply(store, Batch("posts:a", copies=copies))


def build(store: Store, folder: Path, now: datetime.datetime = NOW, **options: Any) -> BuildSummary:
    publication = Publication.of(settings_with(feeds={"url": URL, "page": False}))
    return builder.build(store, publication, Folder(folder), now, **options)


def test_only_what_would_look_different_is_written(store: Store, tmp_path: Path) -> None:
    fill(store)
    first = build(store, tmp_path)
    assert (first.feeds, first.written) == (3, 3)
    assert build(store, tmp_path).written == 0
    assert build(store, tmp_path, full=True).written == 0
    due = build(store, tmp_path, NOW + DAY)
    assert due.paths == ["sources/b.atom", "all.atom", "feeds.opml"]
    (tmp_path / "sources" / "a.atom").write_text("x")
    assert build(store, tmp_path, NOW + DAY).paths == ["sources/a.atom"]


def test_a_clock_that_went_back_a_little_hides_nothing(store: Store, tmp_path: Path) -> None:
    fill(store)
    build(store, tmp_path, NOW + DAY)
    assert build(store, tmp_path, NOW, full=True).written == 0
    years_back = build(store, tmp_path, NOW - 900 * DAY, allow_empty=True, full=True)
    assert years_back.written > 0


def test_a_build_says_that_it_goes_on(store: Store, tmp_path: Path) -> None:
    fill(store)
    copies = tuple(
        copy(f"{n}.md", f"<p>{n}</p>" * 9, code=code_of(n), source="a", published=NOW)
        for n in range(10, 700)
    )
    apply(store, Batch("posts:a", copies=copies))
    settings = settings_with(
        feeds={"url": URL, "formats": ["atom", "html"], "extra": {"x": {"words": ["7"]}}},
        rules=[{"exclude": {"words": ["none of them"]}}],
    )
    seen: dict[str, list[tuple[int, int]]] = {}
    builder.build(
        store,
        Publication.of(settings),
        Folder(tmp_path),
        NOW,
        report=lambda stage, done, total: seen.setdefault(stage, []).append((done, total)),
    )
    assert seen.keys() == {
        *("rules", "similar articles", "filters", "pages", "feeds", "lists of titles")
    }
    for stage, steps in seen.items():
        assert steps == sorted(steps), stage
        assert all(done <= total for done, total in steps), stage


def test_what_a_feed_of_several_sources_lacks_of_one_that_failed_comes_with_it(
    store: Store, tmp_path: Path
) -> None:
    fill(store)
    settings = settings_with(feeds={"url": URL, "page": False, "extra": {"x": {"sources": ["a"]}}})

    def build_again() -> BuildSummary:
        return builder.build(store, Publication.of(settings), Folder(tmp_path), NOW)

    (tmp_path / "sources" / "a.atom" / "in the way").mkdir(parents=True)
    assert len(build_again().failures) == 1
    shutil.rmtree(tmp_path / "sources" / "a.atom")
    assert {"sources/a.atom", "extra/x.atom", "all.atom"} <= set(build_again().paths)


def test_one_source_alone_by_its_key(store: Store, tmp_path: Path) -> None:
    fill(store)
    assert build(store, tmp_path, only_source="a").paths == ["sources/a.atom"]
    with pytest.raises(UnknownSourceError, match="no source c; `aggregator sources` lists them"):
        build(store, tmp_path, only_source="c")


def test_feeds_are_not_emptied_unless_that_is_meant(store: Store, tmp_path: Path) -> None:
    now = NOW
    apply(store, Batch("posts:b", copies=(copy("1.md", "x", "posts:b"),)))
    build(store, tmp_path, now)
    apply(store, Batch("posts:b", gone=("1.md",)), 2)
    before = (tmp_path / "all.atom").read_bytes()
    (failure,) = build(store, tmp_path, now).failures
    assert "no article is left to publish" in failure
    assert (tmp_path / "all.atom").read_bytes() == before
    assert build(store, tmp_path, now, allow_empty=True).failures == []
    assert b"<entry>" not in (tmp_path / "all.atom").read_bytes()
