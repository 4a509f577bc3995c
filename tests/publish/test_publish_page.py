"""The page to subscribe from, and feeds that somebody opens, in a real browser."""

import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import COMMAND, Site, article
from playwright.sync_api import Browser, Page, sync_playwright

from aggregator.model.feeds import Headline
from aggregator.model.overview import Card, Overview
from aggregator.publish import page as page_format

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium (apt-get install chromium; bootstrap.sh test tries)"
)
SOURCES = {
    "beijingshangbao": "北京商报",
    "shanghaichenbao": "上海晨报",
    "huaxiashibao": "华夏时报",
    "attack": "<script>alert(1)</script>",
    "quotes": "\"'&amp; </a>",
}


class Served:
    """A site, and a server for its feeds at the address that they name."""

    def __init__(self, site: Site, change: Callable[[str], str] = lambda text: text) -> None:
        self.site = site
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{address}/"
        site.configure(
            lambda text: change(
                text.replace("https://finews.example.org/feeds/", self.url)
                + "  formats: [atom, rss, json]\n  extra: {ports: {title: 港口, words: [港]}}\n"
            )
        )
        for number, (slug, name) in enumerate(SOURCES.items()):
            for day in range(1, 6 + number):
                quoted = name.replace("'", "''")
                text = article(
                    f"{'港口' if day == 2 else '新闻'} {number}.{day} <b>&amp;",
                    date=f"2022-01-{day:02d} 1{number}:00:00 +0800",
                    source=slug,
                ).replace("tags: 华夏时报新闻", f"tags: ['{quoted}新闻']")
                site.post(f"{slug}-{day}.md", text)
        site.build()
        self._process = subprocess.Popen(
            [str(COMMAND), "serve", "-q", "--listen", address], cwd=site.root
        )
        while self._process.poll() is None:
            try:
                socket.create_connection(tuple(address.split(":")), timeout=5).close()
                break
            except OSError:
                continue

    def close(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(10) == 0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(Site(tmp_path_factory.mktemp("page") / "site"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a window of its own; at the end nothing may have been complained of."""
    contexts = []
    said: list[str] = []

    def opened(url: str, **options: Any) -> Page:
        options = {"viewport": {"width": 1200, "height": 900}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
        page.on("requestfailed", lambda request: said.append(f"failed: {request.url}"))
        page.on(
            "response",
            lambda answer: (
                said.append(f"{answer.status}: {answer.url}")
                if answer.status >= 400 and not answer.url.endswith("favicon.ico")
                else None
            ),
        )
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in said if "favicon" not in text and "404" not in text] == []


def names(page: Page) -> list[str]:
    return page.locator("section:has(#source) li:visible h3").all_inner_texts()


@pytest.mark.parametrize("scripts", [True, False])
def test_everything_is_there(served: Served, open_page: Callable[..., Page], scripts: bool) -> None:
    page = open_page(served.url, java_script_enabled=scripts)
    assert page.title() == "订阅 - 财经新闻"
    headings = page.locator("h1, h2").all_inner_texts()
    assert headings == ["财经新闻", "全部来源", "专题1", "来源5"]
    assert sorted(names(page)) == sorted(SOURCES.values())
    card = page.locator("article", has=page.locator("h3", has_text="北京商报"))
    assert "5 篇文章" in card.inner_text()
    assert "2022-01-05 10:00" in card.inner_text()
    assert card.locator("ol a").count() == 3
    assert card.locator("svg").get_attribute("aria-label") == "最近 30 天共 5 篇"
    assert page.locator("article.all").inner_text().count("35 篇文章") == 1
    assert page.locator("form[role=search]").is_visible() == scripts
    assert page.locator("button:visible").count() == (7 if scripts else 0)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("北京", ["北京商报"]),
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
    expected = f"找到 {len(found)} 个来源" if found else "没有找到来源"
    assert page.get_by_role("status").inner_text() == expected
    page.get_by_role("searchbox").fill("")
    assert len(names(page)) == 5


def test_subscribe_links_lead_to_the_feeds(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url)
    links = page.locator("a.subscribe, a.format")
    assert links.count() == 3 * 7
    for index in range(links.count()):
        address = links.nth(index).evaluate("link => link.href")
        answer = page.request.get(address)
        assert answer.ok
        assert links.nth(index).get_attribute("type") in answer.headers["content-type"]
    page.get_by_role("link", name="订阅 Atom: 北京商报").click()
    assert page.url == f"{served.url}sources/beijingshangbao.atom"


def test_the_address_is_copied(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url, permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="复制“北京商报”的网址")
    button.click()
    page.wait_for_function("() => [...document.querySelectorAll('button')]"
                           ".some(button => button.textContent === '已复制')")  # fmt: skip
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
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert "订阅 Atom: 北京商报" in seen
    assert not any(label and "上海" in label for label in seen)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_no_violation_of_accessibility(
    served: Served, open_page: Callable[..., Page], scheme: str, width: int
) -> None:
    page = open_page(
        served.url, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    found = Axe().run(page).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == []
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
        assert page.locator("h2").all_inner_texts() == ["All sources", "Topics1", "Sources5"]
        page.get_by_role("searchbox").fill("nowhere")
        assert page.get_by_role("status").inner_text() == "No source found"
    finally:
        english.close()


def test_thousands_of_sources(
    served: Served, open_page: Callable[..., Page], tmp_path_factory: pytest.TempPathFactory
) -> None:
    now = datetime(2022, 1, 27, tzinfo=UTC)
    cards = tuple(
        Card(
            "source",
            f"第{number}号报",
            f"paper{number}",
            {"atom": f"sources/paper{number}.atom"},
            30,
            tuple(range(30)),
            tuple(Headline(f"标题{index}", "https://a.example.org/", now) for index in range(3)),
        )
        for number in range(3000)
    )
    overview = Overview(
        "站", None, "zh-CN", "Asia/Shanghai", "https://a.example.org/", served.url, "站", None, now,
        cards,
    )  # fmt: skip
    data = page_format.render(overview)
    assert len(data) < 6_000_000
    index = served.site.feeds / "index.html"
    before = index.read_bytes()
    index.write_bytes(data)
    try:
        page = open_page(served.url)
        shown = "document.querySelectorAll('li[data-words]:not([hidden])').length"
        assert page.evaluate(shown) == 3000
        page.get_by_role("searchbox").fill("第1")
        assert page.evaluate(shown) == 1111
        page.get_by_role("searchbox").fill("paper2999")
        assert names(page) == ["第2999号报"]
    finally:
        index.write_bytes(before)
