"""Relative URLs in feeds, and the bases that they have."""

import pytest
from feed_documents import atom, read


@pytest.mark.parametrize(
    ("attributes", "entry", "expected"),
    [
        ("", "<content type='html'>{}</content>", None),
        ("xml:base='http://b.example/'", "<content type='html'>{}</content>", "http://b.example/"),
        ("xml:base='../posts/'", "<content type='html'>{}</content>",
         "http://feeds.example/posts/"),
        ("xml:base='/posts/'", "<content type='html' xml:base='uke/'>{}</content>",
         "http://feeds.example/posts/uke/"),
        ("xml:base='/posts/'", "<summary type='html' xml:base='uke/'>{}</summary>",
         "http://feeds.example/posts/uke/"),
    ],
)  # fmt: skip
def test_xml_base_is_the_base_of_a_text(attributes: str, entry: str, expected: str | None) -> None:
    image = "&lt;img src='pic.jpg'&gt;"
    (item,) = atom(
        f"<id>1</id><link href='http://other.example/1'/>{entry.format(image)}",
        attributes=attributes,
    ).items
    assert item.base == expected
    assert item.html == "<img src='pic.jpg'>"


def test_xml_base_within_xhtml() -> None:
    (item,) = atom(
        "<id>1</id><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        "<p xml:base='deep/'><a href='1?a=1&amp;b=2'>x</a><img src=\"z\"/></p><a href='y'>y</a>"
        "</div></content>",
        attributes="xml:base='http://b.example/'",
    ).items
    assert "http://b.example/deep/1?a=1&amp;b=2" in item.html
    assert "http://b.example/deep/z" in item.html
    assert 'href="y"' in item.html
    assert item.base == "http://b.example/"


def test_the_base_of_one_entry_is_that_of_no_other() -> None:
    text = "<link href='x'/><content type='html'>&lt;img src='p'&gt;</content>"
    based = text.replace("<content", "<content xml:base='http://b.example/'")
    first, second = atom(
        f"<id>urn:1</id>{based}",
        f"<id>urn:2</id>{text}",
    ).items
    assert (first.base, second.base) == ("http://b.example/", None)
    assert first.link == second.link == "http://feeds.example/blog/x"


def test_ids_are_never_resolved() -> None:
    based = "xml:base='http://b.example/d/'"
    found = atom("<id>u1</id>", "<id>http://c.example/2</id>", attributes=based).items
    assert [item.guid for item in found] == ["u1", "http://c.example/2"]
    items = (
        "<guid>1</guid><link>/p</link>",
        "<guid isPermaLink='true'>2</guid>",
        "<guid>http://c.example/3</guid>",
    )
    document = "".join(f"<item><title>T{item[6:9]}</title>{item}</item>" for item in items)
    feed = read(f"<rss version='2.0' {based}><channel><title>t</title>{document}</channel></rss>")
    assert [(item.guid, item.link) for item in feed.items] == [
        ("1", "http://b.example/p"),
        ("2", None),
        ("http://c.example/3", "http://c.example/3"),
    ]
