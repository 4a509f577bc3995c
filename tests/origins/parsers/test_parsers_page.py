"""Title, text and date of a page, and the items of a page that lists articles."""

import pytest

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.page import ListLink, PageText, decode_page, extract, list_links

URL = "https://a.example/news/"
PAGE = """<html><title> 标题\n一 </title><body><h1>Kopf</h1><div class=d>2022-01-27</div>
<div class=t><p>eins</p></div><div class=t><p>zwei\x08</p></div></body></html>""".encode()
LIST = b"""<base href="https://b.example/"><ul>
<li><a href="/1">eins</a><i title="2022-01-27">x</i><b>Haus</b></li>
<li>kein Verweis</li><li><a href="javascript:x">boese</a></li>
<li><a href="2"> zwei\n drei </a></li></ul>"""


def test_the_parts_that_selectors_name() -> None:
    found = extract(PAGE, "", URL, (".t", "h1", ".d"))
    assert found == PageText("Kopf", "<p>eins</p>\n<p>zwei</p>", "2022-01-27")
    assert extract(PAGE, "", URL, (".t", ".none", None)).title == "标题 一"


@pytest.mark.parametrize(
    ("data", "selector", "reason"),
    [
        (b" \n", ".t", "an empty page"),
        (PAGE, ".x", "no element matches .x: a login or captcha page"),
        (b"<p>x" + b"<div>" * 100_000, "p", "nested deeper"),
    ],
)
def test_a_page_without_a_text_is_refused(data: bytes, selector: str, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        extract(data, "", URL, (selector, None, None))


def test_the_items_of_a_list() -> None:
    assert list_links(LIST, "", URL, "li", {}) == (
        ListLink("https://b.example/1", "eins"),
        ListLink("https://b.example/2", "zwei drei"),
    )
    fields = {"date": "i@title", "source": "b", "title": "b"}
    assert list_links(LIST, "", URL, "li", fields)[0] == ListLink(
        "https://b.example/1", "Haus", "2022-01-27", "Haus"
    )
    (link,) = list_links(b"<a href=x>eins</a>", "", URL, "a", {"url": "@href", "title": ""})
    assert link == ListLink("https://a.example/news/x", "eins")
    with pytest.raises(UnusableError, match="no element matches tr"):
        list_links(LIST, "", URL, "tr", {})


def test_the_charset_of_a_page() -> None:
    page = "<meta charset=gbk><title>中国的市场</title>"
    assert "中国" in decode_page(page.encode("gbk"), "")
    assert "中国" in decode_page(page.encode(), "text/html; charset=utf-8")
    assert decode_page(b"<meta charset=utf-7>+ADw-script+AD4-", "") == (
        "<meta charset=utf-7>+ADw-script+AD4-"
    )
