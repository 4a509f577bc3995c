"""The page beside the feeds."""

from configured import settings_with
from conftest import Site, article
from one_feed import UPDATED

from aggregator.build.index_page import make_overview
from aggregator.model.feeds import Activity, FeedState, Headline
from aggregator.publish.publication import Publication


def test_somebody_elses_page_is_left_alone(site: Site) -> None:
    site.post("1.md", article("eins"))
    site.feeds.mkdir()
    mine = site.feeds / "index.html"
    mine.write_text("<h1>mine</h1>")
    result = site.build()
    assert "was not made by aggregator, and was kept" in result.err
    assert mine.read_text() == "<h1>mine</h1>"
    mine.unlink()
    site.build()
    assert "北京" in mine.read_text("utf-8") or "华夏时报" in mine.read_text("utf-8")


def test_the_combined_feed_comes_first_and_sums_up_the_others() -> None:
    publication = Publication.of(
        settings_with(
            feeds={"url": "https://f.example/", "tags": True}, sources={"a": {"name": "Z"}}
        )
    )

    def state(key: str, title: str, articles: int, *days: tuple[int, int]) -> FeedState:
        newest = (Headline("T", "https://a.example/", UPDATED),)
        activity = Activity(articles, days, newest)
        return FeedState(key, title, b"", b"", 1, UPDATED, UPDATED, activity=activity)

    states = [
        state("source:a", "Z", 3, (738_000, 1), (738_001, 2)),
        state("tag:x", "x", 9, (738_001, 9)),
        state("source:b", "B", 4, (738_001, 4)),
        state("all", "", 0),
        state("extra:gone", "", 1),
    ]
    found = make_overview(publication, {one.key: one for one in states})
    assert [(card.kind, card.name, card.articles) for card in found.cards] == [
        ("all", "全部来源", 7), ("source", "B", 4), ("source", "Z", 3), ("tag", "x", 9)
    ]  # fmt: skip
    assert [card.days[-2:] for card in found.cards] == [(1, 6), (0, 4), (1, 2), (0, 9)]
    assert {len(card.days) for card in found.cards} == {30}
    assert found.updated == UPDATED
