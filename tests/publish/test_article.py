"""An article's own page."""

import datetime

from one_feed import ENTRY, PUBLISHED, UPDATED

from aggregator.model.frame import Frame
from aggregator.model.pages import ArticlePage, Correction, FeedLink, Piece
from aggregator.publish import article

FEEDS_URL = "https://a.example/feeds/"
FRAME = Frame("站", "https://a.example/", FEEDS_URL, "zh-CN", None, True)
FEEDS = (
    FeedLink(
        "华夏时报",
        (("atom", f"{FEEDS_URL}sources/hxsb.atom"), ("html", f"{FEEDS_URL}sources/hxsb.html")),
    ),
    FeedLink("站", (("json", f"{FEEDS_URL}all.json"),)),
)


def page(**values: object) -> str:
    whole = {"frame": FRAME, "path": "articles/2022/01/x.html", "entry": ENTRY, "feeds": FEEDS}
    return article.render(ArticlePage(**{**whole, **values})).decode()  # type: ignore[arg-type]


def test_it_has_all_that_is_known() -> None:
    text = page()
    assert '<link rel="canonical" href="https://a.example/feeds/articles/2022/01/x.html">' in text
    for shown in ("标题", "华夏时报", "股票", "<p>正文</p>", "https://b.example/1", "1.mp3"):
        assert shown in text
    assert f'<time datetime="{PUBLISHED.isoformat()}">2022-01-27 22:00</time>' in text
    assert f'<time datetime="{UPDATED.isoformat()}">2022-01-27 23:00</time>' in text
    assert '<meta name="description" content="标题">' in text


def test_it_names_the_feeds_to_subscribe_to() -> None:
    text = page()
    assert '<h3><a href="../../../sources/hxsb.html">华夏时报</a></h3>' in text
    assert "<h3>站</h3>" in text
    assert "<code>https://a.example/feeds/sources/hxsb.atom</code>" in text
    assert 'href="feed:https://a.example/feeds/all.json"' in text
    assert "feed%2Fhttps%3A%2F%2Fa.example%2Ffeeds%2Fsources%2Fhxsb.atom" in text
    assert text.count('rel="alternate"') == 2
    assert (
        'rel="alternate" type="application/feed+json" title="站" href="../../../all.json"' in text
    )


def test_corrections_are_there_on_demand() -> None:
    assert 'class="corrections"' not in page()
    seen = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)
    pieces = (Piece("same", "是"), Piece("removed", "<五>"), Piece("added", "七"))
    text = page(corrections=(Correction(seen, "旧标题", (pieces,), is_cut=True),))
    assert "<p>是<del>&lt;五&gt;</del><ins>七</ins></p>" in text
    assert "<del>旧标题</del>" in text
    assert "改动太多" in text


def test_a_site_without_a_page_to_subscribe_from() -> None:
    assert "index.html" in page()
    frame = Frame("S", "https://a.example/", "https://a.example/feeds/", "en")
    text = page(frame=frame)
    assert '"../../../index.html"' not in text
    assert "Home page" in text
