"""A picture and a summary in every format."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest
from conftest import ATOM
from one_feed import document, entry

from aggregator.model.feeds import FeedDocument, Image
from aggregator.publish import atom, json_feed, rss
from aggregator.publish.xml import MEDIA

URL = "https://a.example/b.jpg?x=1&y=2"
PICTURE = Image(URL, 600, 400, "image/jpeg")


@pytest.mark.parametrize("render", [atom.render, rss.render])
def test_a_picture_in_xml(render: Callable[[FeedDocument], bytes]) -> None:
    root = ElementTree.fromstring(render(document(entry(image=PICTURE))))
    (thumbnail,) = root.iter(f"{{{MEDIA}}}thumbnail")
    assert thumbnail.attrib == {"url": URL, "width": "600", "height": "400"}
    (content,) = root.iter(f"{{{MEDIA}}}content")
    assert content.attrib == {**thumbnail.attrib, "medium": "image", "type": "image/jpeg"}
    unknown = render(document(entry(image=Image(URL, 600))))
    assert b"height" not in unknown
    assert b'type="image' not in unknown
    assert b"xmlns:media" not in render(document())


def test_a_picture_and_a_summary_in_json() -> None:
    shown, plain = document(entry(image=PICTURE, summary="1 < 2"), entry(id="x")), document()
    item, other = json.loads(json_feed.render(shown))["items"]
    assert (item["image"], item["summary"]) == (URL, "1 < 2")
    assert not {"image", "summary"} & other.keys()
    assert b'"image"' not in json_feed.render(plain)


def test_a_summary_in_atom_is_plain_text() -> None:
    root = ElementTree.fromstring(atom.render(document(entry(summary="1 < 2"))))
    (summary,) = root.iter(ATOM + "summary")
    assert summary.text == "1 < 2"
    assert b"<summary" not in atom.render(document())
