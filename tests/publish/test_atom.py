"""Feeds in Atom 1.0 (RFC 4287)."""

from xml.etree import ElementTree

from conftest import ATOM
from hypothesis import given
from hypothesis import strategies as st
from one_feed import ENTRY, ORIGIN, UPDATED, document, entry

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.articles import Enclosure
from aggregator.model.feeds import FeedDocument
from aggregator.publish.atom import render


def entry_of(feed: FeedDocument) -> ElementTree.Element:
    (found,) = ElementTree.fromstring(render(feed)).findall(ATOM + "entry")
    return found


def links(element: ElementTree.Element) -> list[dict[str, str]]:
    return [dict(link.attrib) for link in element.findall(ATOM + "link")]


def test_an_entry_has_all_that_is_known() -> None:
    found = entry_of(document())
    texts = {name: found.findtext(ATOM + name) for name in ("id", "title", "updated", "published")}
    assert texts == {
        "id": ENTRY.id, "title": "标题", "updated": "2022-01-27T23:00:00+08:00",
        "published": "2022-01-27T22:00:00+08:00",
    }  # fmt: skip
    assert links(found) == [
        {"href": ENTRY.alternate, "rel": "alternate", "type": "text/html"},
        {"href": ENTRY.via, "rel": "via", "type": "text/html"},
        {"href": "https://a.example/1.mp3", "rel": "enclosure", "type": "audio/mpeg",
         "length": "12"},
    ]  # fmt: skip
    assert [dict(item.attrib) for item in found.findall(ATOM + "category")] == [
        {"term": "hxsb", "label": "华夏时报"}, {"term": "股票"}
    ]  # fmt: skip
    content = found.find(ATOM + "content")
    assert content is not None
    assert (content.get("type"), content.text) == ("html", "<p>正文</p>")


def test_the_source_of_an_entry_is_the_feed_of_its_source() -> None:
    source = entry_of(document()).find(ATOM + "source")
    assert source is not None
    assert source.findtext(ATOM + "id") == ORIGIN.id
    assert source.findtext(ATOM + "title") == ORIGIN.title
    assert links(source)[0]["href"] == ORIGIN.urls["atom"]
    assert source.findtext(ATOM + "updated") == UPDATED.isoformat()
    assert entry_of(document(origins={})).find(ATOM + "source") is None


def test_what_is_unknown_is_left_out() -> None:
    bare = entry(
        via=None, categories=(), enclosures=(Enclosure("https://a.example/x"),), content=""
    )
    found = entry_of(document(bare))
    assert links(found)[1:] == [{"href": "https://a.example/x", "rel": "enclosure"}]
    assert found.findtext(ATOM + "content") == " "


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_well_formed_and_comes_back(title: str, name: str) -> None:
    feed = document(entry(title=title, categories=(name,)), title="x" + title, author="x" + name)
    root = ElementTree.fromstring(render(feed))
    found = root.findtext(f"{ATOM}entry/{ATOM}title") or ""
    # XML itself reads both line ends as one.
    plain = without_forbidden(title).replace("\r\n", "\n").replace("\r", "\n")
    assert found == plain
    category = root.findall(f"{ATOM}entry/{ATOM}category")[-1].get("term")
    assert category == without_forbidden(name)
