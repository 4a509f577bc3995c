"""Feeds in RSS 2.0."""

import xml.etree.ElementTree as ElementTree
from typing import Any

import atoma
import pytest
from conftest import ATOM, CODES, Site
from one_feed import ORIGIN, document, entry

from aggregator.articles.summary import summary_of
from aggregator.model.articles import Enclosure
from aggregator.model.feeds import Entry
from aggregator.publish.rss import render


def test_rss_for_another_reader(every_format: Site) -> None:
    feed = atoma.parse_rss_bytes((every_format.feeds / "all.rss").read_bytes())
    assert feed.title == "财经新闻"
    assert feed.link == "https://finews.example.org/"
    assert feed.ttl == 15
    assert feed.language == "zh-CN"
    assert [item.guid for item in feed.items] == [
        f"tag:finews.example.org,2021:{code}" for code in reversed(CODES)
    ]
    assert [item.title for item in feed.items] == [f"标题{number} & <其他>" for number in (2, 1, 0)]
    assert all(
        "正文" in item.content_encoded or "更正" in item.content_encoded for item in feed.items
    )
    assert feed.items[0].pub_date.isoformat() == "2022-01-27T12:00:00+08:00"


def test_rss_follows_the_advisory_board(every_format: Site) -> None:
    channel = ElementTree.parse(every_format.feeds / "all.rss").getroot()[0]
    links = {link.get("rel"): link.get("href") for link in channel.findall(ATOM + "link")}
    assert links == {
        "self": "https://finews.example.org/feeds/all.rss",
        "hub": "https://hub.example.org/?a=1&b=2",
    }
    for name in ("title", "link", "description", "lastBuildDate", "generator", "docs", "ttl"):
        assert len(channel.findall(name)) == 1, name
    item = channel.find("item")
    assert item is not None
    guid = item.find("guid")
    assert guid is not None
    assert guid.get("isPermaLink") == "false"
    source = item.find("source")
    assert source is not None
    assert source.get("url") == "https://finews.example.org/feeds/sources/huaxiashibao.rss"
    description = item.findtext("description") or ""
    assert description.startswith("正文2")
    assert "<" not in description.replace("<其他>", "")


def item_of(*entries: Entry, **values: Any) -> ElementTree.Element:
    root = ElementTree.fromstring(render(document(*entries, **values)))
    (found,) = root.iter("item")
    return found


def test_an_item_has_all_that_is_known() -> None:
    found = item_of()
    guid, enclosure, source = (found.find(name) for name in ("guid", "enclosure", "source"))
    assert guid is not None
    assert enclosure is not None
    assert source is not None
    assert (guid.text, guid.get("isPermaLink")) == ("tag:a.example,2021:1", "false")
    assert enclosure.attrib == {
        "url": "https://a.example/1.mp3", "type": "audio/mpeg", "length": "12"
    }  # fmt: skip
    assert source.get("url") == ORIGIN.urls["rss"]
    assert [item.text for item in found.findall("category")] == ["华夏时报", "股票"]
    assert found.findtext("pubDate") == "Thu, 27 Jan 2022 22:00:00 +0800"
    assert item_of(origins={}).find("source") is None


def test_rss_has_one_enclosure_with_a_length_and_a_type() -> None:
    (found,) = item_of(
        entry(enclosures=(Enclosure("https://a.example/x"), Enclosure("https://a.example/y")))
    ).findall("enclosure")
    assert found.attrib == {
        "url": "https://a.example/x", "type": "application/octet-stream", "length": "0"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "summary"),
    [
        ("<p>eins</p>\n<p>zwei</p>", "eins zwei"),
        ("", "标题"),
        ("<p>1 &lt; 2 &amp; 3</p>", "1 &lt; 2 &amp; 3"),
        ("<p>" + "字" * 300 + "</p>", "字" * 200 + "…"),
    ],
)
def test_a_description_is_the_first_words_as_html(content: str, summary: str) -> None:
    shown = entry(content=content, summary=summary_of(content))
    assert item_of(shown).findtext("description") == summary


def test_a_tag_that_is_cut_is_no_word_of_the_summary() -> None:
    content = "<p>Kurz.</p>" * 150 + "<p>" + " " * 180 + "<img src='https://a.example/1.png'></p>"
    summary = item_of(entry(content=content)).findtext("description") or ""
    assert "<" not in summary
    assert "&" not in summary
