"""The page to subscribe from, and feeds that somebody opens, in a real browser."""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from browser import NEEDS_CHROMIUM, SOURCES, Served, violations
from conftest import Site
from playwright.sync_api import Page

from aggregator.model.feeds import Headline
from aggregator.model.frame import Frame
from aggregator.model.overview import Card, Overview
from aggregator.publish import page as page_format

pytestmark = NEEDS_CHROMIUM


def names(page: Page) -> list[str]:
    return page.locator("section:has(#source) li:visible h3").all_text_contents()


@pytest.mark.parametrize("scripts", [True, False])
def test_everything_is_there(served: Served, open_page: Callable[..., Page], scripts: bool) -> None:
    page = open_page(served.url, java_script_enabled=scripts)
    assert page.title() == "订阅源 - 财经新闻"
    headings = page.locator("h1, h2").all_inner_texts()
    assert headings == ["财经新闻", "全部来源", "专题 1", "来源 5"]
    # The newest first; of the same time, by name.
    assert names(page)[0] == SOURCES["quotes"]
    assert sorted(names(page)) == sorted(SOURCES.values())
    row = page.locator("li.row", has=page.locator("h3", has_text="北京商报"))
    assert "5 篇" in row.inner_text()
    assert "2022-01-05 10:00" in row.inner_text()
    assert "4 天没有新文章" in row.inner_text()
    assert row.locator("svg").get_attribute("aria-label") == "最近 30 天共 5 篇"
    assert page.locator("section.all").inner_text().count("35 篇") == 1
    assert f"{served.url}all.atom" in page.locator("section.all").inner_text()
    assert page.locator("form[role=search]").is_visible() == scripts
    assert page.locator("button:visible").count() == (3 if scripts else 0)
    # The address is text that can be copied, also without scripts.
    assert not row.locator(".menu").is_visible()
    row.locator("summary").click()
    assert f"{served.url}sources/beijingshangbao.atom" in row.locator(".menu").inner_text()
    assert row.locator(".titles a").count() == 3


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("Feedly", "https://feedly.com/i/subscription/feed%2F{}"),
        ("Inoreader", "https://www.inoreader.com/?add_feed={}"),
        ("NewsBlur", "https://www.newsblur.com/?url={}"),
        ("Feedbin", "https://feedbin.com/?subscribe={}"),
    ],
)
def test_two_clicks_lead_into_a_reader(
    served: Served, open_page: Callable[..., Page], name: str, target: str
) -> None:
    page = open_page(served.url)
    for feed, path in (("全部来源", "all.atom"), ("北京商报", "sources/beijingshangbao.atom")):
        address = served.url + path
        row = page.locator(".row", has=page.locator("h2, h3", has_text=feed))
        row.locator("summary").click()
        link = row.get_by_role("link", name=name)
        assert link.get_attribute("href") == target.format(quote(address, safe=""))
        app = row.get_by_role("link", name="用本机的阅读器打开")
        assert app.get_attribute("href") == f"feed:{address}"


def test_sources_are_sorted_by_newest_name_or_number(
    served: Served, open_page: Callable[..., Page]
) -> None:
    page = open_page(served.url)
    newest = names(page)
    page.get_by_role("button", name="名称").click()
    by_name = names(page)
    assert sorted(by_name) == sorted(newest)
    chinese = [name for name in by_name if "报" in name]
    assert chinese == ["北京商报", "华夏时报", "上海晨报"]  # pinyin
    page.get_by_role("button", name="篇数").click()
    assert names(page)[0] == SOURCES["quotes"]
    assert names(page)[-1] == "北京商报"
    page.get_by_role("button", name="最新").click()
    assert names(page) == newest


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("北京", ["北京商报"]),
        ("新闻 0.5", ["北京商报"]),
        ("beijing", ["北京商报"]),
        ("BEIJING", ["北京商报"]),
        ("报 hua", ["华夏时报"]),
        ("script", ["<script>alert(1)</script>"]),
        ("nowhere", []),
    ],
)
def test_search(
    served: Served, open_page: Callable[..., Page], words: str, found: list[str]
) -> None:
    page = open_page(served.url)
    page.get_by_role("searchbox").fill(words)
    assert names(page) == found
    expected = f"找到 {len(found)} 项" if found else "没有找到"
    assert page.get_by_role("status").inner_text() == expected
    page.get_by_role("searchbox").fill("")
    assert len(names(page)) == 5


def test_links_lead_to_the_feeds(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url)
    links = page.locator(".menu a[type]")
    # Of the first format, the address stands there.
    assert links.count() == 2 * 7
    for index in range(links.count()):
        address = links.nth(index).evaluate("link => link.href")
        answer = page.request.get(address)
        assert answer.ok
        assert links.nth(index).get_attribute("type") in answer.headers["content-type"]
    # The name of a source leads to the page to read.
    page.get_by_role("link", name="北京商报").click()
    assert page.url == f"{served.url}sources/beijingshangbao.html"


def test_all_feeds_are_imported_at_once(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url)
    with page.expect_download() as download:
        page.get_by_role("link", name="一次导入全部（OPML）").click()
    assert download.value.suggested_filename == "feeds.opml"
    blogroll = page.locator("link[rel=blogroll]").get_attribute("href")
    assert blogroll == "feeds.opml"


def test_the_address_is_copied(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url, permissions=["clipboard-read", "clipboard-write"])
    row = page.locator("li.row", has=page.locator("h3", has_text="北京商报"))
    row.locator("summary").click()
    row.get_by_role("button", name="复制网址").click()
    row.get_by_role("button", name="已复制").wait_for()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{served.url}sources/beijingshangbao.atom"


def test_a_keyboard_is_enough(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url)
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "search":
            break
    page.keyboard.type("beijing")
    assert names(page) == ["北京商报"]
    page.keyboard.press("Enter")
    assert names(page) == ["北京商报"]
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    # What is filtered out is out of the way of the keyboard, too.
    seen = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert "订阅“北京商报”" in seen
    assert not any(label and "上海" in label for label in seen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_no_violation_of_accessibility(
    served: Served, open_page: Callable[..., Page], scheme: str, width: int
) -> None:
    page = open_page(
        served.url, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    for summary in page.locator(".rows summary").all()[:2]:
        summary.click()
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


def test_dark_is_dark(served: Served, open_page: Callable[..., Page]) -> None:
    def ground(scheme: str) -> int:
        page = open_page(served.url, color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", color)[:3]))

    assert ground("dark") < 150
    assert ground("light") > 600


def test_feeds_are_announced_to_browsers(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url)
    found = page.locator("link[rel=alternate]").evaluate_all(
        "links => links.map(link => [link.type, new URL(link.href).pathname])"
    )
    assert ["application/atom+xml", "/all.atom"] in found
    assert ["application/rss+xml", "/extra/ports.rss"] in found


@pytest.mark.parametrize("path", ["all.atom", "all.rss", "sources/beijingshangbao.atom"])
def test_a_feed_in_a_browser_is_no_wall_of_xml(
    served: Served, open_page: Callable[..., Page], path: str
) -> None:
    page = open_page(served.url + path)
    shown = page.evaluate(
        """() => {
            const texts = [];
            const walk = (node) => {
                for (const child of node.children) {
                    if (getComputedStyle(child).display === "none") continue;
                    if (child.children.length) walk(child); else texts.push(child.textContent);
                }
            };
            walk(document);
            return texts;
        }"""
    )
    # What parts the markup of a title in RSS has no width.
    shown = [text.replace("\u2060", "") for text in shown]
    assert any("财经新闻" in text for text in shown), shown
    assert any("新闻 0.5 <b>&amp;" in text for text in shown), shown
    assert not any("正文" in text or text.startswith("tag:") for text in shown)
    # The link to the page is alive, though the document is XML.
    page.evaluate("document.getElementsByTagNameNS('http://www.w3.org/1999/xhtml', 'a')[0].click()")
    page.wait_for_url(f"{served.url}index.html")


def test_in_english(site: Site, open_page: Callable[..., Page]) -> None:
    english = Served(site, lambda text: text.replace("  tag:", "  language: en-GB\n  tag:"))
    try:
        page = open_page(english.url)
        assert page.title() == "Feeds - 财经新闻"
        assert page.locator("html").get_attribute("lang") == "en-GB"
        assert page.locator("h2").all_inner_texts() == ["All sources", "Topics 1", "Sources 5"]
        page.get_by_role("searchbox").fill("nowhere")
        assert page.get_by_role("status").inner_text() == "Nothing found"
    finally:
        english.close()


def overview_of(served: Served, *kinds: str) -> Overview:
    """The overview of feeds of these kinds, with 30 days and 3 titles each."""
    now = datetime(2022, 1, 27, tzinfo=UTC)
    cards = tuple(
        Card(
            kind,
            f"第{number}号报",
            f"paper{number}",
            {"atom": f"sources/paper{number}.atom"},
            30,
            tuple(range(30)),
            tuple(Headline(f"标题{index}", "https://a.example.org/", now) for index in range(3)),
        )
        for number, kind in enumerate(kinds)
    )
    return Overview(
        "站", None, "zh-CN", "Asia/Shanghai", "https://a.example.org/", served.url, "站",
        Frame(language="zh-CN"), now, cards,
    )  # fmt: skip


@contextlib.contextmanager
def index_in_place(served: Served, data: bytes) -> Iterator[None]:
    """Have another page to subscribe from for a while."""
    index = served.site.feeds / "index.html"
    before = index.read_bytes()
    index.write_bytes(data)
    try:
        yield
    finally:
        index.write_bytes(before)


def test_thousands_of_sources(served: Served, open_page: Callable[..., Page]) -> None:
    data = page_format.render(overview_of(served, *["source"] * 3000))
    assert len(data) < 6_000_000
    with index_in_place(served, data):
        page = open_page(served.url)
        shown = "document.querySelectorAll('li[data-words]:not([hidden])').length"
        assert page.evaluate(shown) == 3000
        page.get_by_role("searchbox").fill("第1")
        assert page.evaluate(shown) == 1111
        page.get_by_role("searchbox").fill("paper2999")
        assert names(page) == ["第2999号报"]


def test_sixty_sources_are_a_short_page(served: Served, open_page: Callable[..., Page]) -> None:
    data = page_format.render(overview_of(served, "all", *["source"] * 60))
    with index_in_place(served, data):
        page = open_page(served.url, viewport={"width": 1280, "height": 900})
        page.evaluate("window.scrollTo(0, 1e6)")
        # Rows have their real height once they were shown.
        page.wait_for_function("document.scrollingElement.scrollHeight <= 2500")
