"""The list of all feeds."""

import xml.etree.ElementTree as ElementTree

import listparser
from conftest import Site


def test_opml_lists_every_feed(every_format: Site) -> None:
    text = (every_format.feeds / "feeds.opml").read_text("utf-8")
    parsed = listparser.parse(text)
    assert not parsed.bozo
    assert parsed.meta.title == "财经新闻"
    assert [(feed.title, feed.url) for feed in parsed.feeds] == [
        ("全部来源", "https://finews.example.org/feeds/all.atom"),
        ("华夏时报", "https://finews.example.org/feeds/sources/huaxiashibao.atom"),
        ("晨报", "https://finews.example.org/feeds/sources/chenbao.atom"),
    ]
    root = ElementTree.fromstring(text)
    assert root.get("version") == "2.0"
    assert len(root.findall("body/outline[@text='来源']/outline")) == 2
