"""The items of JSON Feeds."""

import json
from typing import Any

import pytest
from feed_documents import read

from aggregator.model.errors import UnusableError


def feed(*items: object, **others: Any):
    document = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": items}
    return read(json.dumps(document | others), "application/feed+json")


def test_authors_of_both_versions_and_of_the_feed() -> None:
    found = feed(
        {"id": "1", "author": {"name": "Jane"}},
        {"id": "2", "authors": [{"name": "Jane"}, {"name": "李梅"}, {"url": "http://x/"}]},
        {"id": "3", "authors": "Jane"},
        authors=[{"name": "House"}],
    )
    assert [item.author for item in found.items] == ["Jane", "Jane, 李梅", "House"]


def test_an_image_stands_before_a_text_that_has_none() -> None:
    own = "<img src='/own.png'>"
    found = feed(
        {"id": "1", "content_text": "x", "banner_image": "/b.png", "image": "/i.png"},
        {"id": "2", "content_html": own, "image": "/i.png"},
        {"id": "3", "content_text": "x", "image": ["no URL"]},
    )
    image = '<p><img src="http://feeds.example/i.png" alt=""></p>'
    assert [item.html for item in found.items] == [f"{image}\n<p>x</p>", own, "<p>x</p>"]


def test_what_is_no_item_is_left_out_and_noted() -> None:
    found = feed({"id": 7, "title": 8, "tags": [1, {}, "x"]}, "no object", None)
    (item,) = found.items
    assert (item.guid, item.title, item.categories) == ("7", "8", ("1", "x"))
    assert found.notes == ("2 of 3 items left out: not JSON objects",)


@pytest.mark.parametrize("text", ["{}", '{"items": []}', '{"version": "2", "items": []}'])
def test_other_json_is_no_feed(text: str) -> None:
    with pytest.raises(UnusableError, match="not a JSON Feed"):
        read(text)
