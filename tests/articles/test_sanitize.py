"""Clean HTML: safe, the same when it is cleaned again, and fit for XML."""

import re
import time

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from aggregator.articles import sanitize

PIECES = [
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<div>",
    "</div>",
    "<a",
    "href='x'>",
    "</a>",
    "<img",
    "src=//h/i.png>",
    "<br>",
    "&nbsp;",
    "&amp",
    "<script>",
    "</script>",
    "<style>",
    "<svg>",
    "<math>",
    "<!--",
    "-->",
    "<p/>",
    "<p",
    "style='display:none'>",
    "hidden",
    "<table>",
    "<td>",
    "<span>",
    "</span>",
    "<ul><li>",
    "<pre>",
    "</pre>",
    "]]>",
    "\x08",
    "\ufffe",
    "\x00",
    "<",
    ">",
    "&#0;",
    "<img",
    "srcset='a",
    "1x,",
    "b",
    "2x'>",
    "<iframe",
    "srcdoc=x>",
    "<a",
    "href='jav&#9;ascript:alert(1)'>",
]
html_text = st.lists(st.one_of(st.text(max_size=20), st.sampled_from(PIECES)), max_size=25).map(
    "".join
)


@settings(deadline=None)
@given(html_text, st.sampled_from([sanitize.HTML, sanitize.MARKDOWN]))
@example("\x1b", sanitize.MARKDOWN)
@example("<p>&#x1b;</p>", sanitize.HTML)
@example("<div><p>\x08</p></div>", sanitize.HTML)
@example("a\n\n&#1;", sanitize.MARKDOWN)
def test_clean_html_is_safe_stays_as_it_is_and_fits_xml(text, kind) -> None:
    clean = sanitize.sanitize(text, kind, "https://site.example.org/")
    assert sanitize.sanitize(clean, sanitize.HTML, "https://site.example.org/") == clean
    assert not re.search(r"<(script|style|svg|math|iframe)\b|\son\w+=|javascript:", clean, re.I)
    assert sanitize.without_forbidden(clean) == clean
    element = etree.Element("content")
    element.text = clean
    assert etree.fromstring(etree.tostring(element)).text == (clean or None)


@pytest.mark.parametrize(
    "text", ["\x1b", "<p>&#x1b;</p>", "<div><p>\x08</p></div>", "\x1b\n\n\x08"]
)
@pytest.mark.parametrize("kind", [sanitize.HTML, sanitize.MARKDOWN])
def test_nothing_is_left_of_what_xml_has_no_place_for(text: str, kind: str) -> None:
    assert sanitize.sanitize(text, kind, "https://site.example.org/") == ""


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200))
def test_no_character_of_a_text_is_lost(text) -> None:
    assume(sanitize.without_forbidden(text) == text)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    clean = sanitize.sanitize(f"<p>{escaped}。</p>", sanitize.HTML, "https://site.example.org/")
    assert re.sub(r"\s+", " ", sanitize.plain_text(clean)) == " ".join((text + "。").split())


@given(st.text(max_size=60), st.sampled_from(["https://h.example/a/b", "http://h.example"]))
def test_an_absolute_url_is_of_an_allowed_scheme(url, base) -> None:
    found = sanitize.absolute_url(url, base)
    assert found is None or re.match(r"(https?://[^/]|mailto:|tel:)", found)


def test_words_among_a_million_tags_that_do_not_end_take_no_time() -> None:
    started = time.process_time()
    words = sanitize.plain_text("<p>a</p>" + "< " * 500_000, 5)
    assert words.startswith("a < <")
    assert time.process_time() - started < 2
