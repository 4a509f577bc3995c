"""The page of what a search finds."""

from bs4 import BeautifulSoup
from configured import settings_with
from found_article import ARTICLE

from aggregator.articles.search_query import parse
from aggregator.publish import search_page
from aggregator.publish.publication import Publication
from aggregator.publish.search_document import search_document

PUBLICATION = Publication.of(settings_with())


def page(written: str, text: str = "", *, finds: bool = True) -> BeautifulSoup:
    query = parse(written)
    articles = [ARTICLE] if finds else []
    document = search_document(PUBLICATION, query, articles, {ARTICLE.code: text})
    return BeautifulSoup(search_page.render(document.frame, written, query, document), "lxml")


def test_what_was_found_and_the_address_to_subscribe_to() -> None:
    found = page("rate <b>", "<p>Interest &lt;b&gt; <i>rate</i></p>")
    address = "https://finews.example.org/feeds/search.atom?q=%3Cb%3E+rate"
    assert found.select_one("code").text == address  # type: ignore[union-attr]
    assert found.select_one("details a[href^='feed:']")["href"] == f"feed:{address}"  # type: ignore[index]
    link = found.select_one("link[type='application/atom+xml']")
    assert link is not None
    assert link["href"] == "search.atom?q=%3Cb%3E+rate"
    assert found.select_one("input")["value"] == "rate <b>"  # type: ignore[index]
    assert [item["href"] for item in found.select("article a")] == ["https://news.example.org/1"]
    assert "Interest <b> rate" in found.select_one("article").text  # type: ignore[union-attr]
    assert found.select_one("article b") is None


def test_a_search_that_finds_more_than_it_lists_says_so() -> None:
    document = search_document(PUBLICATION, parse("x"), [ARTICLE], {ARTICLE.code: ""})
    for most, says_so in ((1, True), (2, False)):
        text = search_page.render(document.frame, "x", parse("x"), document, most=most).decode()
        assert ("只列出最新的" in text) == says_so


def test_nothing_found_and_a_form_alone() -> None:
    assert "没有找到文章" in page("rate", finds=False).text
    form = BeautifulSoup(search_page.render(PUBLICATION.frame, "-<x>", is_refused=True), "lxml")
    assert form.select_one("[role=alert]").text.startswith("请写要找的词")  # type: ignore[union-attr]
    assert form.select_one("input")["value"] == "-<x>"  # type: ignore[index]
    assert form.select("code, article") == []


def test_an_excerpt_has_the_word() -> None:
    text = "<p>" + "甲" * 500 + "港口" + "乙" * 500 + "</p>"
    shown = search_page.excerpt(text, parse("无 港口"))
    assert shown.startswith("…甲")
    assert shown.endswith("乙…")
    assert "港口" in shown
    assert search_page.excerpt("<p>短</p>", parse("港口")) == "短"
    assert search_page.excerpt(text, parse("无"))[:2] == "甲甲"
