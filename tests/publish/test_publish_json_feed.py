"""Feeds in JSON Feed 1.1."""

import json

import atoma
from conftest import CODES, Site
from hypothesis import given
from hypothesis import strategies as st
from one_feed import ORIGIN, document, entry

from aggregator.articles.sanitize import without_forbidden
from aggregator.publish.json_feed import render


def test_json_for_another_reader(every_format: Site) -> None:
    data = (every_format.feeds / "all.json").read_bytes()
    feed = atoma.parse_json_feed(json.loads(data))
    assert feed.version == "https://jsonfeed.org/version/1.1"
    assert feed.feed_url == "https://finews.example.org/feeds/all.json"
    assert [item.id_ for item in feed.items] == [
        f"tag:finews.example.org,2021:{code}" for code in reversed(CODES)
    ]
    assert feed.items[0].date_published.isoformat() == "2022-01-27T12:00:00+08:00"
    raw = json.loads(data)
    assert raw["hubs"] == [{"type": "WebSub", "url": "https://hub.example.org/?a=1&b=2"}]
    assert raw["language"] == "zh-CN"
    assert raw["items"][0]["tags"] == ["华夏时报"]


def test_an_item_has_all_that_is_known_and_nothing_empty() -> None:
    (item,) = json.loads(render(document()))["items"]
    assert item == {
        "id": "tag:a.example,2021:1",
        "url": "https://a.example/1",
        "external_url": "https://b.example/1",
        "title": "标题",
        "date_published": "2022-01-27T22:00:00+08:00",
        "date_modified": "2022-01-27T23:00:00+08:00",
        "authors": [{"name": "华夏时报", "url": ORIGIN.urls["json"]}],
        "tags": ["华夏时报", "股票"],
        "attachments": [
            {"url": "https://a.example/1.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12}
        ],
        "content_html": "<p>正文</p>",
    }
    bare = entry(via=entry().alternate, categories=(), enclosures=(), content="")
    found = json.loads(render(document(bare, origins={})))
    assert {"hubs", "description", "icon", "favicon"}.isdisjoint(found)
    (item,) = found["items"]
    assert {"external_url", "attachments"}.isdisjoint(item)
    assert (item["authors"], item["content_html"]) == ([{"name": "华夏时报"}], " ")


@given(st.text(max_size=30))
def test_any_text_comes_back_on_a_line_of_its_own(title: str) -> None:
    data = render(document(entry(title="x" + title), entry(id="2")))
    assert data.count(b"\n") == 4
    (item, _) = json.loads(data)["items"]
    assert without_forbidden(item["title"]) == "x" + without_forbidden(title)
