"""The line that names other outlets, and the related entries of every format."""

import json
import xml.etree.ElementTree as ElementTree

import feedparser
import pytest
from conftest import ATOM
from one_feed import NOW, document, entry

from aggregator.model.feeds import Entry, Related
from aggregator.publish import also_reported, atom, json_feed, rss
from aggregator.publish.validate.json_feed import check_json_feed
from aggregator.publish.validate.report import Report
from aggregator.publish.validate.xml import check_atom, check_rss

OTHERS = (
    Related("一 & <二>", "https://a.example/?a=1&b=2", '北京"商报'),
    Related("三", "https://a.example/3", "晚报\u0008"),
)


def reported(**values: object) -> Entry:
    return entry(related=OTHERS, **values)


def test_the_line_in_both_languages() -> None:
    links = [
        '<a href="https://a.example/?a=1&amp;b=2" title="一 &amp; &lt;二&gt;">北京&quot;商报</a>',
        '<a href="https://a.example/3" title="三">晚报</a>',
    ]
    assert also_reported.line(reported(), "zh-CN") == f"<p>同题报道：{links[0]}、{links[1]}</p>"
    assert also_reported.line(reported(more_related=1200), "en") == (
        f"<p>Also reported by: {links[0]}, {links[1]} and 1,200 more</p>"
    )
    assert also_reported.content(entry(), "en") == entry().content


def test_atom_and_rss_have_a_link_to_each() -> None:
    for data, content in (
        (atom.render(document(reported())), "content"),
        (rss.render(document(reported())), "content"),
    ):
        (item,) = feedparser.parse(data, sanitize_html=False).entries
        assert item[content][0].value.startswith("<p>正文</p><p>同题报道：")
        links = [
            (link.get("href"), link.get("title"))
            for link in ElementTree.fromstring(data).iter(ATOM + "link")
            if link.get("rel") == "related"
        ]
        assert links == [("https://a.example/?a=1&b=2", "一 & <二>"), ("https://a.example/3", "三")]


def test_json_feed_has_an_extension() -> None:
    (item,) = json.loads(json_feed.render(document(reported())))["items"]
    assert item["_aggregator"] == {
        "also_reported_by": [
            {"name": '北京"商报', "title": "一 & <二>", "url": "https://a.example/?a=1&b=2"},
            {"name": "晚报\u0008", "title": "三", "url": "https://a.example/3"},
        ]
    }
    assert item["content_html"].startswith("<p>正文</p><p>同题报道：")


def test_a_summary_is_of_the_text_alone() -> None:
    (item,) = feedparser.parse(
        rss.render(document(reported(content="<p>短</p>", summary="短")))
    ).entries
    assert item.summary == "短"


@pytest.mark.parametrize(
    ("writer", "check"), [(atom, check_atom), (rss, check_rss), (json_feed, check_json_feed)]
)
def test_our_own_check_has_nothing_to_say(writer: object, check: object) -> None:
    report = Report(NOW)
    check(writer.render(document(reported())), report)  # type: ignore[attr-defined, operator]
    assert report.problems == []
