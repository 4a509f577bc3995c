"""Feeds of several sources that show each story once (docs/feeds.md)."""

import feedparser
import pytest
from conftest import Site
from same_story import code_of, dates, post, related, text

COLLAPSE = "  similar: collapse\n"


def titles(site: Site, feed: str = "all.atom") -> list[str]:
    return [entry.title for entry in site.entries(feed)]


def archived(site: Site, stem: str) -> list[str]:
    return [
        entry.title
        for path in sorted((site.feeds / "archives").glob(f"{stem}.*.atom"))
        for entry in feedparser.parse(path.read_bytes()).entries
    ]


@pytest.fixture
def collapsing(site: Site) -> Site:
    site.configure(lambda text: text + COLLAPSE)
    return site


@pytest.mark.usefixtures("on_both")
@pytest.mark.parametrize("mode", ["show", "link", "collapse"])
def test_twenty_outlets_publish_one_text(site: Site, mode: str) -> None:
    site.configure(lambda text: text + f"  similar: {mode}\n")
    for number in range(20):
        post(site, number, text(1))
    site.build()
    shown = 1 if mode == "collapse" else 20
    assert len(site.entries()) == shown
    assert all(len(names) == (0 if mode == "show" else 10) for names in related(site).values())
    assert titles(site, "sources/outlet7.atom") == ["标题7"]
    before = dates(site)
    post(site, 20, text(1))
    site.build()
    after = dates(site)
    if mode != "collapse":
        assert after.pop("标题20")
    assert after == before
    assert titles(site, "sources/outlet20.atom") == ["标题20"]


def test_what_was_seen_first_stays_whatever_comes_later(collapsing: Site) -> None:
    site = collapsing
    post(site, 5, text(1))
    site.build()
    before = dates(site)
    post(site, 1, text(1))
    post(site, 6, text(1))
    site.build()
    assert dates(site) == before
    assert related(site) == {"标题5": ["标题1", "标题6"]}


def test_an_article_that_was_shown_is_never_hidden(collapsing: Site) -> None:
    site = collapsing
    post(site, 1, text(1))
    post(site, 2, text(2))
    site.build()
    post(site, 2, text(1))
    site.build()
    assert titles(site) == ["标题2", "标题1"]
    assert related(site)["标题1"] == ["标题2"]


@pytest.mark.usefixtures("on_both")
def test_a_hidden_article_comes_forward_when_the_first_is_gone(collapsing: Site) -> None:
    site = collapsing
    site.configure(
        lambda text: text.replace("layout: plain", "layout: plain\n    when_removed: drop")
    )
    site.configure(lambda text: text + "  combined_entries: 1\n  entries: 1\n")
    first = post(site, 1, text(1))
    post(site, 2, text(1))
    post(site, 3, text(1))
    site.build()
    assert titles(site) == ["标题1"]
    first.unlink()
    site.build()
    assert titles(site) == ["标题2"]
    assert related(site)["标题2"] == ["标题3"]
    post(site, 9, text(9))
    site.build()
    assert (titles(site), archived(site, "all")) == (["标题9"], ["标题2"])


def test_a_hidden_article_with_another_text_is_shown(collapsing: Site) -> None:
    site = collapsing
    post(site, 1, text(1))
    post(site, 2, text(1))
    site.build()
    post(site, 2, text(2))
    site.build()
    assert titles(site) == ["标题2", "标题1"]


def test_a_summary_of_the_day_is_none_of_its_stories(collapsing: Site) -> None:
    site = collapsing
    for number in range(1, 7):
        post(site, number, text(number))
    post(site, 7, "".join(text(number) for number in range(1, 7)))
    site.build()
    assert len(titles(site)) == 7
    assert related(site)["标题7"] == [f"标题{number}" for number in range(1, 7)]


def test_archives_of_several_sources_show_a_story_once(collapsing: Site) -> None:
    site = collapsing
    site.configure(lambda text: text + "  combined_entries: 1\n  entries: 1\n")
    for number, story in enumerate((1, 1, 2, 2, 3, 3)):
        post(site, number, text(story))
        site.build()
    assert titles(site) == ["标题4"]
    assert archived(site, "all") == ["标题0", "标题2"]


@pytest.mark.usefixtures("on_both")
def test_a_feed_by_a_filter_shows_the_first_that_it_has(collapsing: Site) -> None:
    site = collapsing
    site.configure(lambda text: text + "  extra: {second: {sources: [outlet2, outlet3]}}\n")
    for number in (1, 2, 3):
        post(site, number, text(1))
    site.build()
    assert titles(site) == ["标题1"]
    assert titles(site, "extra/second.atom") == ["标题2"]


def test_an_article_held_back_stands_for_nothing_until_it_is_due(collapsing: Site) -> None:
    site = collapsing
    post(site, 1, text(1), date="2222-01-27 10:00:00 +0800")
    post(site, 2, text(1))
    site.build()
    assert titles(site) == ["标题2"]


@pytest.mark.usefixtures("on_both")
def test_the_setting_can_be_changed_back(collapsing: Site) -> None:
    site = collapsing
    site.configure(lambda text: text + "  combined_entries: 1\n  entries: 1\n")
    for number in range(3):
        post(site, number, text(1))
    site.build()
    assert titles(site) == ["标题0"]
    site.configure(lambda text: text.replace(COLLAPSE, ""))
    site.build()
    assert titles(site) == ["标题2"]
    assert archived(site, "all") == ["标题0", "标题1"]
    site.configure(lambda text: text + COLLAPSE)
    site.build()
    assert titles(site) == ["标题0"]
    assert code_of(0) in site.entries()[0].id
