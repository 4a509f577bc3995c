"""What a search finds, as a feed, and how to search."""

import xml.etree.ElementTree as ET

import feedparser
from configured import settings_with
from found_article import ARTICLE

from aggregator.articles.search_query import parse
from aggregator.publish import atom
from aggregator.publish.publication import Publication
from aggregator.publish.search_document import description, search_document

PUBLICATION = Publication.of(settings_with())


def test_a_search_is_a_feed_with_an_id_and_an_address_of_its_own() -> None:
    documents = [
        search_document(PUBLICATION, parse(query), [ARTICLE], {ARTICLE.code: "<p>全文</p>"})
        for query in ("Rate 港口 -a&b", "-A&b 港口 rate")
    ]
    assert documents[0] == documents[1]
    feed = feedparser.parse(atom.render(documents[0]))
    assert not feed.bozo
    assert feed.feed.id == (
        "tag:finews.example.org,2021:feeds/search/rate%20%E6%B8%AF%E5%8F%A3%20-a%26b"
    )
    links = {link.rel: link.href for link in feed.feed.links}
    query = "?q=rate+%E6%B8%AF%E5%8F%A3+-a%26b"
    assert links["self"] == f"https://finews.example.org/feeds/search.atom{query}"
    assert links["alternate"] == f"https://finews.example.org/feeds/search{query}"
    assert feed.feed.title == "rate 港口 -a&b - 财经新闻"
    (entry,) = feed.entries
    assert (entry.title, entry.content[0].value) == ("港口", "<p>全文</p>")
    assert entry.source.id == "tag:finews.example.org,2021:feeds/sources/chenbao"


def test_a_search_that_finds_nothing_is_a_whole_feed() -> None:
    feed = feedparser.parse(atom.render(search_document(PUBLICATION, parse("a"), [], {})))
    assert not feed.bozo
    assert (feed.entries, feed.feed.updated[:4]) == ([], "2021")


def test_the_description_names_both_addresses() -> None:
    root = ET.fromstring(description(PUBLICATION))
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert root.tag == space + "OpenSearchDescription"
    assert [(url.get("type"), url.get("template")) for url in root.iter(space + "Url")][:2] == [
        ("text/html", "https://finews.example.org/feeds/search?q={searchTerms}"),
        ("application/atom+xml", "https://finews.example.org/feeds/search.atom?q={searchTerms}"),
    ]
    assert len(root.findtext(space + "ShortName") or "") <= 16
