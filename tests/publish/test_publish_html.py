"""A feed as a page to read, in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest
from browser import NEEDS_CHROMIUM, Served, violations
from one_feed import document, entry
from playwright.sync_api import Page

from aggregator.publish import html as html_format

PATHS = ["all.html", "sources/beijingshangbao.html", "extra/ports.html"]
KINDS = [
    *PATHS,
    "articles/index.html",
    "articles/2022/01/index.html",
    "articles/2022/01/posts-beijingshangbao-1-md-*.html",
]


def path_of(served: Served, pattern: str) -> str:
    (found,) = served.site.feeds.glob(pattern)
    return found.relative_to(served.site.feeds).as_posix()


@NEEDS_CHROMIUM
@pytest.mark.parametrize("path", PATHS)
def test_titles_lead_to_the_articles(
    served: Served, open_page: Callable[..., Page], path: str
) -> None:
    page = open_page(served.url + path, java_script_enabled=False)
    title = page.locator("h2 a").first
    text = title.inner_text()
    title.click()
    assert page.locator("h1").inner_text() == text
    assert "/articles/2022/01/" in page.url
    assert page.locator(".e-content p").first.is_visible()
    page.get_by_role("link", name="往期").first.click()
    page.get_by_role("link", name="2022-01").click()
    assert page.get_by_role("link", name=text).count() == 1


@NEEDS_CHROMIUM
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("pattern", KINDS)
def test_no_violation_of_accessibility(
    served: Served, open_page: Callable[..., Page], pattern: str, scheme: str
) -> None:
    url = served.url + path_of(served, pattern)
    page = open_page(
        url, color_scheme=scheme, viewport={"width": 320, "height": 700}, bypass_csp=True
    )
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320


@NEEDS_CHROMIUM
@pytest.mark.parametrize("pattern", KINDS)
def test_a_page_is_light_and_does_not_jump(
    served: Served, open_page: Callable[..., Page], pattern: str
) -> None:
    page = open_page(served.url + path_of(served, pattern))
    measured: dict[str, Any] = page.evaluate(
        """() => new Promise((resolve) => {
            let shift = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) shift += entry.value;
            }).observe({ type: "layout-shift", buffered: true });
            const files = [
                ...performance.getEntriesByType("navigation"),
                ...performance.getEntriesByType("resource"),
            ];
            const bytes = files.reduce((sum, file) => sum + file.decodedBodySize, 0);
            requestAnimationFrame(() => requestAnimationFrame(() => resolve({ shift, bytes })));
        })"""
    )
    assert measured["shift"] == 0
    assert measured["bytes"] < 200_000


@NEEDS_CHROMIUM
def test_what_is_printed_is_the_article(served: Served, open_page: Callable[..., Page]) -> None:
    page = open_page(served.url + path_of(served, KINDS[-1]))
    page.emulate_media(media="print")
    assert page.locator("h1").is_visible()
    assert page.locator(".e-content").is_visible()
    assert not page.locator("nav").first.is_visible()
    assert not page.locator("aside").is_visible()


def test_long_feeds_have_only_their_newest_entries_in_full() -> None:
    text = "<p>" + "很长的正文。" * 2_000 + "</p>"
    entries = [entry(id=f"tag:a.example,2021:{n}", content=text) for n in range(100)]
    page = html_format.render(document(*entries)).decode()
    assert len(page.encode()) < html_format.MAX_TEXT + 200_000
    assert page.count("<h2") == 100
    assert page.count('class="e-content text"') == 3
    assert page.count("阅读全文</a>") == 97
    # One that is larger than all that is whole.
    page = html_format.render(document(entry(content="<p>" + "长" * 100_000 + "</p>"))).decode()
    assert "长" * 100_000 in page


def test_images_are_loaded_late_and_tell_nobody() -> None:
    page = html_format.render(
        document(entry(content='<p><img src="https://a.example/1.png" alt="Ein Bild"></p>'))
    ).decode()
    image = page[page.index("<img") : page.index(">", page.index("<img"))]
    assert 'loading="lazy"' in image
    assert 'referrerpolicy="no-referrer"' in image
    assert 'alt="Ein Bild"' in image
    page = html_format.render(document(entry(content='<img src="https://a.example/1.png">')))
    assert b'alt=""' in page


def test_there_is_no_markup_but_that_of_texts() -> None:
    evil = "<script>alert(1)</script>\"'"
    link = f"https://a.example/?{evil}"
    page = html_format.render(
        document(
            entry(title=evil, author=evil, alternate=link, categories=(evil,)),
            title=evil,
            subtitle=evil,
        )
    ).decode()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;") >= 6
