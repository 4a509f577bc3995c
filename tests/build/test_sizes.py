"""No document of a feed is larger than `feeds: max_bytes`, and nothing is lost by that."""

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from configured import settings_with
from conftest import ATOM, Site, article
from hypothesis import given
from hypothesis import strategies as st
from merging import NOW, apply, code_of, copy
from one_feed import document, entry

from aggregator.build.builder import build
from aggregator.build.context import Context
from aggregator.build.sizes import Limits, entries_that_fit
from aggregator.model.polls import Batch
from aggregator.publish import atom, json_feed, rss
from aggregator.publish.files import Folder
from aggregator.publish.publication import Publication
from aggregator.store import published
from aggregator.store.database import Store

LIMIT = 40_000
SIZE = 6_000


def add(site: Site, number: int, size: int = SIZE) -> None:
    text = f"<p>{number} " + "x&lt;" * (size // 8) + "</p>"
    site.post(
        f"{number:02d}.md", article(f"t{number:02d}", text, date=f"2022-01-27 {number:02d}:00")
    )


@pytest.fixture
def large(site: Site) -> Site:
    """A site whose feeds would be of 16 large entries."""
    site.configure(
        lambda text: text + f"  max_bytes: {LIMIT // 1000}kB\n  formats: [atom, rss, json]\n"
    )
    for number in range(16):
        add(site, number)
    return site


def titles(site: Site, path: str) -> list[str]:
    root = ElementTree.fromstring((site.feeds / path).read_bytes())
    return [entry.findtext(ATOM + "title") or "" for entry in root.iter(ATOM + "entry")]


def shown(site: Site, path: str = "all") -> list[str]:
    """The titles of a feed, the same in every format, after its files were looked at."""
    found = titles(site, f"{path}.atom")
    for name in ("atom", "rss", "json"):
        assert (site.feeds / f"{path}.{name}").stat().st_size <= LIMIT
    items = json.loads((site.feeds / f"{path}.json").read_bytes())["items"]
    assert [item["title"] for item in items] == found
    return found


def archived(site: Site, path: str = "all") -> list[str]:
    paths = site.feeds.glob(f"archives/{path}.*.atom")
    return sorted(
        title for found in paths for title in titles(site, str(found.relative_to(site.feeds)))
    )


def test_entries_beyond_the_limit_are_in_the_archive(large: Site) -> None:
    large.build()
    for path in ("all", "sources/huaxiashibao"):
        found = shown(large, path)
        assert found == [f"t{number:02d}" for number in range(15, 15 - len(found), -1)]
        assert 2 < len(found) < 16
        assert archived(large, path) == [f"t{number:02d}" for number in range(16 - len(found))]
        # One more would not fit.
        feed = (large.feeds / f"{path}.atom").read_bytes()
        assert len(feed) + len(feed) // len(found) + 8192 > LIMIT
    root = ElementTree.fromstring((large.feeds / "all.atom").read_bytes())
    links = {link.get("rel"): link.get("href", "") for link in root.findall(ATOM + "link")}
    assert links["prev-archive"].endswith("archives/all.1.atom")


def test_a_full_build_writes_the_same(large: Site) -> None:
    large.build()
    before = large.feed_bytes()
    large.build("--full")
    assert large.feed_bytes() == before
    add(large, 16)
    large.build()
    assert shown(large)[0] == "t16"
    assert sorted({*shown(large), *archived(large)}) == [f"t{number:02d}" for number in range(17)]


def test_a_site_that_is_built_anew_shows_the_same_feeds(large: Site) -> None:
    large.build()
    before = large.feed_bytes()
    for path in (*large.feeds.rglob("*.*"), *large.root.glob("var/*")):
        if path.is_file():
            path.unlink()
    large.build("--full")
    assert large.feed_bytes() == before


def test_one_entry_stays_however_large_it_is(large: Site) -> None:
    add(large, 17, 3 * LIMIT)
    large.build()
    assert titles(large, "all.atom") == ["t17"]
    assert archived(large) == [f"t{number:02d}" for number in range(16)]
    add(large, 18)
    large.build()
    assert shown(large) == ["t18"]
    assert "t17" in archived(large)


def test_without_archives_entries_are_cut_all_the_same(large: Site) -> None:
    large.configure(lambda text: text + "  archives: false\n")
    large.build()
    assert 2 < len(shown(large)) < 16
    assert not archived(large)


def test_a_higher_limit_brings_them_back(large: Site) -> None:
    large.build()
    few = len(shown(large))
    large.configure(lambda text: re.sub("max_bytes: .*", "max_bytes: 2MB", text))
    large.build()
    assert len(titles(large, "all.atom")) == 16 > few


FORMATS = {"atom": atom.render, "rss": rss.render, "json": json_feed.render}
texts = st.lists(
    st.integers(0, 20_000).map(lambda size: "<p>" + "字" * size + "</p>"), min_size=1, max_size=8
)


@given(texts, st.integers(1, 200_000))
def test_as_many_as_fit_and_no_more(contents: list[str], limit: int) -> None:
    entries = [entry(id=f"x{number}", content=text) for number, text in enumerate(contents)]
    whole = {name: render(document(*entries)) for name, render in FORMATS.items()}
    count = entries_that_fit(whole, len(entries), limit)
    cut = {name: render(document(*entries[:count])) for name, render in FORMATS.items()}
    assert count == 1 or max(map(len, cut.values())) <= limit
    assert entries_that_fit(cut, count, limit) == count
    if count < len(entries):
        more = {name: render(document(*entries[: count + 1])) for name, render in FORMATS.items()}
        assert max(map(len, more.values())) + 8192 > limit


def test_a_feed_that_was_cut_is_not_measured_again(store: Store, tmp_path: Path) -> None:
    feeds = {"url": "https://finews.example.org/feeds/", "max_bytes": 20_000}
    publication, folder = Publication.of(settings_with(feeds=feeds)), Folder(tmp_path)

    def add(number: int, text: str, poll: int) -> None:
        apply(
            store,
            Batch("posts:a", copies=(copy(f"{number}.md", text, code=code_of(number)),)),
            poll,
        )

    def window(*, full: bool = False) -> int:
        with store.transaction() as connection:
            manifest = published.feed_states(connection)
            context = Context(store, publication, folder, NOW, manifest, full, dry_run=False)
            return len(Limits().window(context, connection, publication.combined_spec()))

    for number in range(1, 7):
        add(number, f"<p>{number}</p>" + "<p>x</p>" * 120, 1)
    build(store, publication, folder, NOW)
    assert 1 < window() < 6
    assert window(full=True) == 6
    add(3, "<p>neu</p>", 2)
    # Another window may have room for more.
    assert window() == 6
