"""The entries of upstream feeds of every format."""

import datetime
import json

import pytest
from feed_documents import read

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.feed import parse_feed

RSS_ITEMS = "".join(
    f"<item><title>第{n}条</title><link>http://a.example/{n}</link>"
    f"<description>摘要{n}</description></item>"
    for n in range(3)
)
ATOM_ENTRIES = "".join(
    f"<entry><title>第{n}条</title><id>urn:x:{n}</id><link href='http://a.example/{n}'/>"
    f"<updated>2022-01-0{n + 1}T00:00:00Z</updated>"
    f"<content type='html'>&lt;p&gt;全文{n}&lt;/p&gt;</content></entry>"
    for n in range(3)
)
FORMATS = {
    "RSS 0.91": '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
    '"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>'
    f"<title>甲</title><link>http://a.example/</link><description/>{RSS_ITEMS}</channel></rss>",
    "RSS 0.92": f'<rss version="0.92"><channel><title>甲</title>{RSS_ITEMS}</channel></rss>',
    "RSS 1.0": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/"><channel rdf:about="http://a.example/"><title>甲</title>'
    f"</channel>{RSS_ITEMS}</rdf:RDF>",
    "RSS 2.0": '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
    f"<title>甲</title>{RSS_ITEMS}</channel></rss>",
    "Atom 0.3": '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>甲</title>'
    + ATOM_ENTRIES.replace("<updated>", "<modified>").replace("</updated>", "</modified>")
    + "</feed>",
    "Atom 1.0": '<feed xmlns="http://www.w3.org/2005/Atom"><title>甲</title>'
    f"<id>urn:x</id><updated>2022-01-01T00:00:00Z</updated>{ATOM_ENTRIES}</feed>",
    "JSON Feed 1.0": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1",
            "title": "甲",
            "items": [
                {"id": n, "url": f"http://a.example/{n}", "title": f"第{n}条",
                 "content_html": f"<p>全文{n}</p>"} for n in range(3)
            ],
        }
    ),
    "JSON Feed 1.1": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "甲",
            "items": [
                {"id": f"urn:{n}", "url": f"http://a.example/{n}", "title": f"第{n}条",
                 "content_text": f"全文{n}", "date_published": f"2022-01-0{n + 1}T08:00:00+08:00"}
                for n in range(3)
            ],
        }
    ),
}  # fmt: skip


def parsed(text: str | bytes, content_type: str = "application/xml; charset=utf-8"):
    data = text if isinstance(text, bytes) else text.encode()
    return parse_feed(data, content_type, "http://a.example/feed")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_all_its_entries(name: str) -> None:
    feed = parsed(FORMATS[name])
    assert feed.title == "甲"
    assert feed.notes == ()
    assert [item.title for item in feed.items] == ["第0条", "第1条", "第2条"]
    assert [item.link for item in feed.items] == [f"http://a.example/{n}" for n in range(3)]
    kind = "摘要" if "RSS" in name else "全文"
    assert all(kind in item.html for item in feed.items)
    assert all(item.is_full is (kind == "全文") for item in feed.items)


@pytest.mark.parametrize(
    ("encoding", "declared", "header"),
    [
        ("gbk", "gb2312", ""),
        ("gb18030", None, "text/xml; charset=GBK"),
        ("utf-16", "utf-16", ""),
        ("big5", "big5", ""),
        ("utf-8", "no-such-codec", ""),
        ("utf-8", "utf-7", "text/xml; charset=utf-7"),
    ],
)
def test_encodings_of_feeds(encoding: str, declared: str | None, header: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = head + f"<rss version='2.0'><channel><title>新聞的</title>{RSS_ITEMS}</channel></rss>"
    feed = parsed(text.replace("条", "號").encode(encoding, "ignore"), header)
    assert len(feed.items) == 3
    assert feed.title == "新聞的"


def test_what_an_item_may_have() -> None:
    feed = parsed(
        """<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>A</title><item>
        <title>&lt;b&gt;Tom &amp;amp; Co&lt;/b&gt;</title><guid isPermaLink="true">/p/1</guid>
        <pubDate>Thu, 27 Jan 2022 22:14:24 +0800</pubDate>
        <description>kurz</description><content:encoded>&lt;p&gt;lang</content:encoded>
        <category>x</category><category>y</category>
        <enclosure url="/a.mp3" type="audio/mpeg" length="123"/>
        </item></channel></rss>"""
    )
    (item,) = feed.items
    assert item.title == "Tom & Co"
    assert item.html == "<p>lang"
    assert item.is_full
    assert item.published == datetime.datetime(2022, 1, 27, 14, 14, 24, tzinfo=datetime.UTC)
    assert item.categories == ("x", "y")
    (enclosure,) = item.enclosures
    assert (enclosure.url, enclosure.media_type, enclosure.length) == (
        "http://a.example/a.mp3", "audio/mpeg", 123,
    )  # fmt: skip


def test_atom_xhtml_and_text() -> None:
    feed = parsed(
        """<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title>
        <entry><id>1</id><title type="text">a &lt; b</title>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></content>
        </entry><entry><id>2</id><title>t</title><content type="text">1 &lt; 2
        und
        </content></entry></feed>"""
    )
    assert feed.items[0].title == "a < b"
    assert "<p>x</p>" in feed.items[0].html
    assert feed.items[1].html == "<p>1 &lt; 2</p>\n<p>und</p>"


@pytest.mark.parametrize("count", [10_000, pytest.param(50_000, marks=pytest.mark.exhaustive)])
def test_82_fifty_thousand_items_are_capped(count: int) -> None:
    items = "".join(f"<item><guid>g{n}</guid><title>{n}</title></item>" for n in range(count))
    with pytest.raises(UnusableError, match="an empty response"):
        parsed(b"  ")
    feed = parsed(f"<rss version='2.0'><channel><title>A</title>{items}</channel></rss>")
    assert len(feed.items) == 5000
    assert f"newest 5,000 of its {count:,}" in feed.notes[0]


def test_a_web_page_names_its_feeds() -> None:
    page = (
        "<!-- x --><!DOCTYPE html><html><head><base href='/blog/'>"
        "<link rel='stylesheet' href='s.css'>{}<title>A blog</title><body><p>" + "<div>" * 300
    )
    one = "<link rel='alternate' type='application/rss+xml' title='RSS' href='rss.xml'>"
    two = "<link rel=alternate type=application/atom+xml href=//other.example/atom>"
    for links, message in (
        ("", "a web page, not a feed, and it names none"),
        (one, "a web page, not a feed: subscribe to http://feeds.example/blog/rss.xml"),
        (one + two + one, "a web page, not a feed: subscribe to one of "
         "http://feeds.example/blog/rss.xml, http://other.example/atom"),
    ):  # fmt: skip
        with pytest.raises(UnusableError) as caught:
            read(page.format(links), "text/html")
        assert caught.value.reason == message


@pytest.mark.parametrize("start", ["<head>", "<meta charset=utf-8>", "<!-- x --><BODY>", "<html>"])
def test_a_web_page_without_a_document_type_is_one(start: str) -> None:
    link = "<link rel=alternate type=application/rss+xml href=/f>"
    with pytest.raises(UnusableError, match=r"web page.*subscribe to http://feeds\.example/f$"):
        read(f"{start}{link}<p>A blog", "text/html")
