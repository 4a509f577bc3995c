"""XML as text."""

from html import unescape
from xml.etree import ElementTree

import lxml.html
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.sanitize import without_forbidden
from aggregator.publish.xml import (
    address,
    element,
    text_construct,
    text_element,
    text_or_html,
)

texts = st.text(max_size=30) | st.text("<>&\"'\n\r\t ab;#\x08\x85\ufffe", max_size=30)


@given(texts, texts)
def test_any_text_and_attribute_come_back_less_what_xml_forbids(text: str, value: str) -> None:
    found = ElementTree.fromstring(element("a", text, b=value))
    assert found.get("b") == without_forbidden(value)
    ends = without_forbidden(text).replace("\r\n", "\n").replace("\r", "\n")
    assert (found.text or "") == ends


def test_an_element_without_a_text_is_empty() -> None:
    assert element("a", href="x") == '<a href="x"/>'
    assert element("a", "") == "<a></a>"
    assert text_element('content type="html"', "<p>") == '<content type="html">&lt;p&gt;</content>'


PIECES = ["&lt;", "&#60;", "&amp;", "<b>", "<!--", "</p>", "<?x", "a", "1 < 2", " & "]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_a_text_reads_the_same_as_html(text: str) -> None:
    found = text_or_html(text)
    assert found.replace("\u2060", "") == text
    assert unescape(found) == found
    html = lxml.html.fragment_fromstring(f"x{found}", create_parent="div")
    assert html.text_content() == "x" + found


@given(texts)
def test_a_text_construct_reads_as_the_text(text: str) -> None:
    found = ElementTree.fromstring(text_construct("title", text))
    value = unescape(found.text or "") if found.get("type") == "html" else found.text or ""
    assert value == without_forbidden(text).replace("\r\n", "\n").replace("\r", "\n")


def test_a_text_that_looks_like_html_says_what_it_is() -> None:
    assert text_construct("title", "S&P500 < 2") == "<title>S&#x26;P500 &#x3C; 2</title>"
    assert text_construct("title", "</b>") == '<title type="html">&amp;lt;/b&amp;gt;</title>'


def test_an_address_is_a_uri() -> None:
    assert address("https://a.example/x?a=1&b=%20#c") == "https://a.example/x?a=1&b=%20#c"
    assert address("https://a.example/文|<a b>") == "https://a.example/%E6%96%87%7C%3Ca%20b%3E"
    assert address("https://图片.example:80/a") == "https://xn--wcsw84d.example:80/a"
    assert address("https://[::1]/a") == "https://[::1]/a"
    assert address("https://a..example/ü\ud800") == "https://a..example/%C3%BC?"
