"""XML as text."""

from html import unescape
from xml.etree import ElementTree

import lxml.html
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.sanitize import without_forbidden
from aggregator.publish.xml import element, text_element, text_or_html

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
