"""What is wrong with a JSON Feed."""

import json
from typing import Any

import pytest
from one_feed import NOW, document, entry

from aggregator.publish.json_feed import render
from aggregator.publish.validate.json_feed import check_json_feed
from aggregator.publish.validate.report import Report


def report_on(data: bytes) -> Report:
    report = Report(NOW)
    check_json_feed(data, report)
    return report


def test_what_aggregator_writes_is_without_fault() -> None:
    report = report_on(render(document()))
    assert report.problems == []
    assert report.feed_id == "https://a.example/feeds/all.json"
    assert report.entries == [("https://a.example/1\n标题", "tag:a.example,2021:1")]
    twice = report_on(render(document(entry(), entry())))
    assert [reason for _, reason in twice.problems] == [
        "the id tag:a.example,2021:1 occurs 2 times"
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "1"}, "version is not"),
        ({"title": ""}, "feed: no title"),
        ({"feed_url": "/x"}, "feed_url: '/x' is not an absolute URL"),
        ({"items": {}}, "items is not a list"),
        ({"items": [1]}, "item 1 is not an object"),
    ],
)
def test_faults_of_a_feed(change: dict[str, Any], reason: str) -> None:
    feed = json.loads(render(document())) | change
    found = report_on(json.dumps(feed).encode()).problems
    assert any(reason in text for _, text in found)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "item 1: no id"),
        ({"url": "x"}, "item 1: url: "),
        ({"date_published": "gestern"}, "item 1: date_published: "),
        ({"content_html": 1}, "neither content_html nor content_text"),
        ({"content_html": "<form>"}, "<form> in the text"),
        ({"attachments": [{}]}, "an attachment needs url and mime_type"),
    ],
)
def test_faults_of_an_item(change: dict[str, Any], reason: str) -> None:
    feed = json.loads(render(document()))
    feed["items"][0] |= change
    found = report_on(json.dumps(feed).encode()).problems
    assert any(reason in text for _, text in found)


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000, b"[]"])
def test_what_is_no_json_object(data: bytes) -> None:
    ((_, reason),) = report_on(data).problems
    assert reason.startswith("not ")
