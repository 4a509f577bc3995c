"""Lists of titles, and sitemaps."""

import datetime
import xml.etree.ElementTree as ElementTree

from aggregator.model.frame import Frame
from aggregator.model.pages import ListedTitle, Period, TitleList
from aggregator.publish import title_list

FRAME = Frame("站", "https://a.example/", "https://a.example/feeds/", "zh-CN")
DAY = datetime.timedelta(days=1)
NOON = datetime.datetime(2022, 1, 27, 12, tzinfo=datetime.UTC)


def test_titles_stand_under_their_day() -> None:
    titles = [
        ListedTitle(
            f"标题<{n}>", f"https://a.example/feeds/articles/{n}.html", NOON - n * DAY, "报"
        )
        for n in range(3)
    ]
    older, newer = Period("2021-12", "a.html", 1), Period("2022-02", "b.html", 2)
    page = title_list.render(
        TitleList(FRAME, "articles/2022/01/index.html", "2022-01", tuple(titles), (), older, newer)
    ).decode()
    assert [f"2022-01-{day}</time></h2>" in page for day in (27, 26, 25)] == [True] * 3
    assert '<a href="../../../articles/0.html">标题&lt;0&gt;</a>' in page
    assert 'rel="prev" href="../../../a.html"' in page
    assert 'rel="next" href="../../../b.html"' in page


def test_periods_are_listed_with_their_numbers() -> None:
    periods = (Period("2022-01", "articles/2022/01/index.html", 1234),)
    page = title_list.render(TitleList(FRAME, "articles/index.html", "", (), periods)).decode()
    assert '<a href="../articles/2022/01/index.html">2022-01</a>' in page
    assert "1,234 篇" in page


def test_sitemaps_are_those_of_the_protocol() -> None:
    pages = [(f"https://a.example/?a&b={n}", NOON) for n in range(title_list.MAX_URLS + 1)]
    root = ElementTree.fromstring(title_list.sitemap(pages))
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    assert root.tag == f"{space}urlset"
    assert len(root) == title_list.MAX_URLS
    assert root[0].findtext(f"{space}loc") == "https://a.example/?a&b=0"
    assert root[0].findtext(f"{space}lastmod") == "2022-01-27T12:00:00+00:00"
    index = ElementTree.fromstring(title_list.sitemap_index(pages[:1]))
    assert [child.tag for child in index] == [f"{space}sitemap"]
