"""The fields of entries in RSS and Atom."""

import datetime
import time

import pytest
from feed_documents import atom, rss

JANUARY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def test_an_update_is_no_date_of_publication() -> None:
    both, updated, published = atom(
        "<id>1</id><published>2026-01-01T00:00:00Z</published>"
        "<updated>2026-02-01T00:00:00Z</updated>",
        "<id>2</id><updated>2026-01-01T00:00:00Z</updated>",
        "<id>3</id><published>2026-01-01T00:00:00Z</published>",
    ).items
    assert (both.published, both.updated) == (JANUARY, JANUARY.replace(month=2))
    assert (updated.published, updated.updated) == (None, JANUARY)
    assert (published.published, published.updated) == (JANUARY, None)


@pytest.mark.parametrize(
    ("inside", "author"),
    [
        ("<author>jane@news.example (Jane Doe)</author>", "Jane Doe"),
        ("<author>Jane Doe &lt;jane@news.example&gt;</author>", "Jane Doe"),
        ("<author><![CDATA[jane@news.example (Jane Doe)]]></author>", "Jane Doe"),
        ("<author>jane@news.example</author>", None),
        ("<dc:creator>李梅</dc:creator><dc:creator>Jane</dc:creator>", "李梅, Jane"),
        ("<itunes:author>Jane</itunes:author><dc:creator>Jane</dc:creator>", "Jane"),
        ("<atom:author><atom:name>Jane</atom:name></atom:author>", "Jane"),
        ("<dc:creator>  </dc:creator>", None),
        ("", None),
    ],
)
def test_authors(inside: str, author: str | None) -> None:
    editor = "<managingEditor>e@x.example (Editor)</managingEditor>"
    (item,) = rss(f"<title>T</title>{inside}", head=editor).items
    assert item.author == author


def test_the_author_of_an_atom_feed_is_that_of_its_entries() -> None:
    head = "<author><name>House</name></author>"
    source = "<source><author><name>Elsewhere</name></author></source>"
    own, none, elsewhere = atom(
        "<id>1</id><author><name>Jane</name><email>j@x.example</email></author>",
        "<id>2</id>",
        f"<id>3</id><contributor><name>Joe</name></contributor>{source}",
        head=head,
    ).items
    assert (own.author, none.author, elsewhere.author) == ("Jane", "House", "House")


def test_a_long_author_is_cut_and_eats_nothing() -> None:
    started = time.monotonic()
    feed = rss(
        f"<guid>1</guid><author><![CDATA[{'a b@c ' * 16_000}]]></author>",
        f"<guid>2</guid><dc:creator>{'&amp;x' * 20_000}</dc:creator>",
        "<guid>3</guid>",
    )
    assert time.monotonic() - started < 2
    assert [item.guid for item in feed.items] == ["1", "2", "3"]
    assert all(len(item.author or "") <= 201 for item in feed.items)


PICTURE = '<p><img src="http://x.example/a.jpg" alt=""></p>'


@pytest.mark.parametrize(
    ("inside", "html"),
    [
        ("<media:content url='http://x.example/a.jpg' medium='image'/>", PICTURE),
        ("<media:content url='http://x.example/a.jpg'/>", PICTURE),
        ("<media:content url='http://x.example/a.jpg' type='image/jpeg'/>"
         "<media:thumbnail url='http://x.example/small.jpg'/>", PICTURE),
        ("<media:thumbnail url='http://x.example/s.jpg' width='75'/>"
         "<media:thumbnail url='http://x.example/a.jpg' width='150'/>", PICTURE),
        ("<media:group><media:thumbnail url='http://x.example/a.jpg'/>"
         "<media:description>Film</media:description></media:group>", PICTURE + "\nFilm"),
        ("<description>text</description><media:thumbnail url='http://x.example/a.jpg'/>",
         PICTURE + "\ntext"),
        ("<description>&lt;img src='/b.png'&gt;</description>"
         "<media:thumbnail url='http://x.example/a.jpg'/>", "<img src='/b.png'>"),
        ("<enclosure url='http://x.example/a.jpg' type='image/jpeg' length='1'/>", PICTURE),
        ("<description>t</description>"
         "<enclosure url='http://x.example/a.jpg' type='image/jpeg' length='1'/>", "t"),
        ("<media:thumbnail url='javascript:alert(1)'/>", ""),
        ("<media:content url='http://x.example/a.swf' type='application/x-shockwave-flash'/>", ""),
    ],
)  # fmt: skip
def test_pictures_beside_a_text(inside: str, html: str) -> None:
    (item,) = rss(f"<title>T</title>{inside}").items
    assert item.html == html


def test_a_film_of_media_rss_is_an_enclosure_once() -> None:
    (item,) = rss(
        "<title>T</title><enclosure url='http://x.example/a.mp4' type='video/mp4' length='5'/>"
        "<media:content url='http://x.example/a.mp4' type='video/mp4'/>"
        "<media:content url='http://x.example/b.mp4' type='video/mp4' fileSize='7'/>"
    ).items
    assert [(file.url, file.length) for file in item.enclosures] == [
        ("http://x.example/a.mp4", 5), ("http://x.example/b.mp4", 7),
    ]  # fmt: skip


def test_base64_is_no_text() -> None:
    with_summary, alone, linked = atom(
        "<id>1</id><summary>S</summary><content type='image/png'>iVBORw0KGgo=</content>",
        "<id>2</id><content type='application/pdf'>JVBERi0xLjQ=</content>",
        "<id>3</id><content type='image/png' src='http://x.example/a.jpg'/>",
    ).items
    assert (with_summary.html, with_summary.is_full) == ("<p>S</p>", False)
    assert (alone.html, linked.html) == ("", PICTURE)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/a b c", "http://feeds.example/a%20b%20c"),
        ("http://user:pw@x.example:81/1?q#f", "http://x.example:81/1?q#f"),
        ("http://x.example/a@b", "http://x.example/a@b"),
        ("ftp://x.example/", None),
        ("http://[::1/", None),
    ],
)
def test_links_that_can_be_published(link: str, expected: str | None) -> None:
    (item,) = rss(f"<title>T</title><link>{link}</link>").items
    assert item.link == expected


@pytest.mark.parametrize(
    ("written", "in_rss", "in_atom"),
    [
        ("2 &amp;lt 3", "2 < 3", "2 &lt 3"),
        ("2 &amp;lt; 3", "2 < 3", "2 &lt; 3"),
        ("Q&amp;ampA", "Q&ampA", "Q&ampA"),
        ("AT&amp;T", "AT&T", "AT&T"),
    ],
)
def test_a_title_of_rss_may_be_html(written: str, in_rss: str, in_atom: str) -> None:
    title = f"<title>{written}</title>"
    assert [item.title for item in rss(title).items] == [in_rss]
    assert [item.title for item in atom(title).items] == [in_atom]
