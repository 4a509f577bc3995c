"""Lists of all titles by month, and sitemaps."""

import datetime
import os
import re
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import Site
from read_site import BASE, FORMATS, add, broken_links, code, page_of, text

from aggregator.build import title_lists
from aggregator.store.pages import ListedDay

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def readable(site: Site) -> Site:
    site.configure(lambda text: text + FORMATS)
    return site


def locations(site: Site, path: str) -> list[str]:
    root = ElementTree.parse(site.feeds / path).getroot()
    return [found.text or "" for found in root.iter(f"{MAP}loc")]


def test_every_article_can_be_reached(readable: Site) -> None:
    for number in range(5):
        add(readable, number, date=f"2022-0{1 + number % 3}-1{number} 10:00:00 +0800")
    readable.build()
    overview = text(readable, "articles/index.html")
    assert overview.index("2022-03") < overview.index("2022-02") < overview.index("2022-01")
    assert "2 篇" in overview
    listed = {
        link.split("/")[-1]
        for month in (1, 2, 3)
        for link in re.findall(
            r'href="([^"]+)"', text(readable, f"articles/2022/0{month}/index.html")
        )
    }
    assert listed >= {page_of(number).rpartition("/")[2] for number in range(5)}
    february = text(readable, "articles/2022/02/index.html")
    assert february.index("标题4") < february.index("标题1")
    assert "2022-03" in february
    assert "2022-01" in february
    assert locations(readable, "sitemap.xml") == [
        f"{BASE}sitemap-2022-0{month}.xml" for month in (3, 2, 1)
    ]
    assert locations(readable, "sitemap-2022-02.xml") == [
        BASE + page_of(4, "2022/02"),
        BASE + page_of(1, "2022/02"),
    ]
    assert broken_links(readable) == []


def test_only_what_changed_is_written(readable: Site) -> None:
    add(readable, 1, date="2022-01-10 10:00:00 +0800")
    add(readable, 2, date="2022-02-10 10:00:00 +0800")
    readable.build()
    paths = [f"articles/2022/0{month}/index.html" for month in (1, 2)]
    before = [(readable.feeds / path).stat().st_mtime_ns for path in paths]
    add(readable, 3, date="2022-02-11 10:00:00 +0800")
    readable.build()
    after = [(readable.feeds / path).stat().st_mtime_ns for path in paths]
    assert before[0] == after[0]
    assert before[1] != after[1]
    # A new month is linked from its neighbour.
    add(readable, 4, date="2022-03-11 10:00:00 +0800")
    readable.build()
    assert "2022-03" in text(readable, paths[1])
    (readable.feeds / paths[0]).unlink()
    readable.build()
    assert "标题1" in text(readable, paths[0])


def test_a_month_without_articles_is_gone(readable: Site) -> None:
    readable.configure(
        lambda text: text.replace("- path: posts", "- path: posts\n    when_removed: drop")
    )
    gone = add(readable, 1, date="2022-02-10 10:00:00 +0800")
    add(readable, 2, date="2022-01-10 10:00:00 +0800")
    add(readable, 3, date="2022-03-10 10:00:00 +0800")
    readable.build()
    gone.unlink()
    readable.build()
    assert not (readable.feeds / "articles/2022/02/index.html").exists()
    assert not (readable.feeds / "sitemap-2022-02.xml").exists()
    assert "2022-02" not in text(readable, "articles/2022/01/index.html")
    assert broken_links(readable) == []


def day(name: str, articles: int) -> ListedDay:
    return ListedDay(name, articles, datetime.datetime(2022, 1, 1, tzinfo=datetime.UTC))


def test_a_long_month_is_a_list_of_its_days() -> None:
    days = [day("2022-02-02", 1), day("2022-02-01", title_lists.MAX_TITLES), day("2022-01-31", 5)]
    found, months = title_lists.sections(days)
    assert [section.path for section in found] == [
        "articles/2022/02/02.html",
        "articles/2022/02/01.html",
        "articles/2022/01/index.html",
    ]
    assert [section.sitemap for section in found][:1] == ["sitemap-2022-02-02.xml"]
    assert [(month.name, month.period.articles) for month in months] == [
        ("2022-02", title_lists.MAX_TITLES + 1),
        ("2022-01", 5),
    ]


def test_a_month_becomes_long(readable: Site) -> None:
    add(readable, 0, date="2022-01-01 10:00:00 +0800")
    readable.build()
    assert "标题0" in text(readable, "articles/2022/01/index.html")
    for number in range(1, title_lists.MAX_TITLES + 1):
        hour, minute = divmod(number, 60)
        add(readable, number, date=f"2022-01-02 {hour:02d}:{minute:02d}:00 +0800")
    readable.build()
    month = text(readable, "articles/2022/01/index.html")
    assert "1,000 篇" in month
    assert "标题0" not in month
    assert "标题0" in text(readable, "articles/2022/01/01.html")
    assert code(1000) in text(readable, "sitemap-2022-01-02.xml")
    assert not (readable.feeds / "sitemap-2022-01.xml").exists()
    assert broken_links(readable) == []
    # Only the day that changes is listed again: what was altered unnoticed elsewhere stays so.
    other = readable.feeds / "articles/2022/01/01.html"
    times, altered = other.stat(), other.read_bytes().replace("标题0".encode(), "题标0".encode())
    other.write_bytes(altered)
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    add(readable, 1_001, date="2022-01-02 23:00:00 +0800")
    readable.build()
    assert code(1_001) in text(readable, "sitemap-2022-01-02.xml")
    assert other.read_bytes() == altered


def test_a_site_without_articles(readable: Site) -> None:
    readable.build()
    assert "还没有文章" in text(readable, "articles/index.html")
    assert locations(readable, "sitemap.xml") == []
