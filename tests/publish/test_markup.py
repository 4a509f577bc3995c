"""Text that writes about markup stays text in every format, whatever a reader takes it for."""

import html
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import lxml.html
import pytest
from conftest import Site, article

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
TITLE = f"Never write {SCRIPT} or &lt;b&gt; or {IMAGE} & so on"
SOURCE = f"R&D {IMAGE}"
INVISIBLE = "\u2060"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("markup") / "site")
    site.configure(
        lambda text: (
            text.replace("title: 财经新闻", f"title: '{SCRIPT}'\n  subtitle: 'A & B {IMAGE}'")
            + "  formats: [atom, rss, json]\n  tags: true\n"
            + f"sources:\n  huaxiashibao: {{name: '{SOURCE}'}}\n"
        )
    )
    words = html.escape(f"Never write {SCRIPT} or {IMAGE} here, &lt; is less.", quote=False)
    post = article("x", f"<p>{words}</p>", extra="")
    title = json.dumps(TITLE)
    post = post.replace('title: "x"', f"title: {title}")
    post = post.replace("tags: 华夏时报新闻", f"tags: [华夏时报新闻, '{SCRIPT}']")
    site.post("1.md", post)
    site.build()
    return site


def elements(text: str) -> list[Any]:
    """What a browser makes of a text that is taken for HTML."""
    return [e.tag for e in lxml.html.fragment_fromstring(text, create_parent="div")]


def shown(text: str) -> str:
    """The same as a person sees it: without characters that have no width."""
    return text.replace(INVISIBLE, "")


def test_the_description_is_html_that_reads_as_the_text(published: Site) -> None:
    (entry,) = published.entries("all.rss")
    assert entry.summary_detail.type == "text/html"
    fragment = lxml.html.fragment_fromstring(entry.summary, create_parent="div")
    assert len(fragment) == 0
    assert fragment.text == f"Never write {SCRIPT} or {IMAGE} here, &lt; is less."


@pytest.mark.parametrize("path", ["all.rss", "sources/huaxiashibao.rss"])
def test_no_text_of_rss_is_markup_to_a_reader_that_takes_it_for_html(
    published: Site, path: str
) -> None:
    root = ElementTree.parse(published.feeds / path).getroot()
    texts = [element.text for element in root.iter() if element.text and element.text.strip()]
    assert len(texts) > 10
    for text in texts:
        if "<p>" not in text:  # content:encoded is HTML, and clean
            assert elements(text) == [], text


def test_the_same_words_are_seen_as_text_and_as_html(published: Site) -> None:
    (entry,) = published.entries("all.rss")
    assert shown(entry.title) == TITLE
    as_html = lxml.html.fragment_fromstring(entry.title, create_parent="div").text
    assert shown(as_html) == TITLE
    assert shown(published.feed("all.rss").feed.title) == SCRIPT
    assert shown(published.feed("all.rss").feed.subtitle) == f"A & B {IMAGE}"
    assert shown(entry.author) == SOURCE


def test_text_constructs_of_atom_and_json_are_the_text_itself(published: Site) -> None:
    feed = published.feed("all.atom")
    (entry,) = feed.entries
    # A text with an end tag says that it is HTML, in which it is escaped.
    assert (entry.title_detail.type, html.unescape(entry.title)) == ("text/html", TITLE)
    assert elements(entry.title) == []
    assert html.unescape(feed.feed.title) == SCRIPT
    assert elements(feed.feed.title) == []
    assert entry.author == SOURCE
    assert elements(entry.content[0].value) == ["p"]
    found = json.loads((published.feeds / "all.json").read_bytes())
    assert found["title"] == SCRIPT
    (item,) = found["items"]
    assert item["title"] == TITLE
    assert elements(item["content_html"]) == ["p"]


def test_opml_is_no_markup_to_a_reader_that_takes_it_for_html(published: Site) -> None:
    root = ElementTree.parse(published.feeds / "feeds.opml").getroot()
    names = [outline.get(key, "") for outline in root.iter("outline") for key in ("text", "title")]
    assert SOURCE in {shown(name) for name in names}
    assert [name for name in names if name and elements(name)] == []


def test_the_page_shows_it_as_text(published: Site) -> None:
    page = lxml.html.fromstring((published.feeds / "index.html").read_bytes())
    assert SOURCE in page.text_content()
    assert TITLE in page.text_content()
    scripts = page.xpath("//script")
    assert all(script.get("src") and not script.text for script in scripts)
    assert page.xpath("//*[@onerror]") == []


def test_the_published_files_are_without_fault(published: Site) -> None:
    result = published.run("check", "--feeds")
    assert (result.code, result.err) == (0, ""), result.out


SPOILT = [
    ("all.rss", "<description>Never", f"<description>{html.escape(SCRIPT)}", "description: "),
    ("all.rss", "<description>Never", "<description>Use &lt;form&gt;", "description: <form>"),
    ("all.rss", "<description>Never", f"<description>{html.escape(IMAGE)}", "onerror"),
    ("all.rss", "<item>\n      <title>", "<item>\n      <title>&lt;b>", "title: "),
    ("all.rss", "<dc:creator>", "<dc:creator>&lt;b>", "creator: "),
    ("all.rss", "<content:encoded>", "<content:encoded>&lt;iframe src='//x'>", "<iframe>"),
    ("all.atom", '<content type="html">', '<content type="html">&lt;svg onload=x>', "<svg>"),
    (
        "all.atom",
        '<content type="html">',
        '<content type="html">&lt;a href="java&amp;#9;script:x">',
        "javascript:",
    ),
    ("all.atom", 'html">Never', 'html">&lt;script>', "title: <script>"),
    ("all.json", '"content_html": "', '"content_html": "<p onclick=x>', "onclick"),
    ("feeds.opml", ' text="R', ' text="&lt;b>R', "text: "),
]


@pytest.mark.parametrize(("path", "old", "new", "reason"), SPOILT)
def test_check_finds_markup_that_a_reader_would_run(
    published: Site, tmp_path: Path, path: str, old: str, new: str, reason: str
) -> None:
    file = published.feeds / path
    before = file.read_text("utf-8")
    assert old in before
    file.write_text(before.replace(old, new, 1), "utf-8")
    try:
        result = published.run("check", "--feeds")
    finally:
        file.write_text(before, "utf-8")
    assert result.code == 1
    assert any(path in line and reason in line for line in result.out.splitlines()), result.out
