"""Links within a text."""

import pytest

from aggregator.articles.fragments import with_page
from aggregator.articles.sanitize import HTML, sanitize

PAGE = "https://e.example/a/?b=1&c=2"


def test_they_lead_to_the_article_s_own_page() -> None:
    text = (
        '<p><a title="t" href="#fn:1" hreflang="de">1</a>, <a href="https://x.example/#y">y</a></p>'
    )
    found = with_page(text, PAGE)
    assert found == (
        '<p><a title="t" href="https://e.example/a/?b=1&amp;c=2#fn:1" hreflang="de">1</a>, '
        '<a href="https://x.example/#y">y</a></p>'
    )
    assert with_page(found, PAGE) == found
    assert with_page('<a href="#b">c</a>', "https://e.example/#old") == (
        '<a href="https://e.example/#b">c</a>'
    )


def test_without_a_page_the_words_stay_and_the_links_go() -> None:
    text = '<p><sup><a href="#fn:1">1</a></sup> <a href="#x"><b>bold</b>\nwords</a></p>'
    assert with_page(text, None) == "<p><sup>1</sup> <b>bold</b>\nwords</p>"


def test_text_that_looks_like_a_link_is_text() -> None:
    text = '<p>&lt;a href="#x"&gt; href="#y"</p><a href="#z">z</a>'
    assert with_page(text, "https://e.example/") == (
        '<p>&lt;a href="#x"&gt; href="#y"</p><a href="https://e.example/#z">z</a>'
    )


@pytest.mark.parametrize(
    "fragment", ['#"><script>alert(1)</script>', "#&quot; onclick=&quot;x", "# a b", "#中文"]
)
def test_no_fragment_breaks_out(fragment: str) -> None:
    markup = f"<a href='{fragment}'>x</a>"
    found = with_page(sanitize(markup, HTML, PAGE), PAGE)
    assert sanitize(found, HTML, PAGE) == found
    assert found.startswith('<a href="https://e.example/a/?b=1&amp;c=2#')
    assert found.endswith('">x</a>')
