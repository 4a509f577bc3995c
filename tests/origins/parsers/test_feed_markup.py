"""What would mislead a parser in the markup of feeds."""

import pytest
from feed_documents import atom, read, rss

from aggregator.model.errors import UnusableError

OWN = "<title>Own</title>"
AUTHOR = "<author><name>Jane</name><title>Product Manager</title></author>"
IMAGE = "<image><title>Picture</title><url>/p.png</url></image>"
MEDIA = "<media:group><media:title>Film</media:title></media:group>"


@pytest.mark.parametrize(
    "inside",
    [
        AUTHOR + OWN,
        OWN + AUTHOR,
        IMAGE + OWN,
        OWN + IMAGE,
        f"<wrapped>{IMAGE}{AUTHOR}</wrapped>{OWN}",
        MEDIA + OWN,
        OWN + MEDIA,
        "<media:title>Film</media:title>" + OWN,
        OWN + "<media:title>Film</media:title>",
        OWN + "<dc:title>Other</dc:title>",
        OWN + "<source><title>Elsewhere</title></source>",
        "<title/>" + OWN,
        OWN + "<title>Second</title>",
        OWN + "<description>a <b>b<br>c</description>" + AUTHOR,
    ],
)
def test_the_title_is_the_entrys_own_whatever_is_nested(inside: str) -> None:
    (item,) = rss(inside).items
    assert item.title == "Own"
    (entry,) = atom(inside).items
    assert entry.title == "Own"


def test_without_a_title_of_its_own_an_entry_has_that_of_its_film_and_no_other() -> None:
    film, picture = rss(MEDIA, IMAGE + AUTHOR).items
    assert (film.title, picture.title) == ("Film", "")


def test_the_title_of_the_feed_is_its_own() -> None:
    for head in (IMAGE, "<textInput><title>Search</title></textInput>", AUTHOR):
        assert rss(OWN, head=head).title == "Feed"
        assert read(f"<rss version='2.0'><channel>{head}<title>Feed</title></channel></rss>")
        before = f"<rss version='2.0'><channel>{head}<title>Feed</title><item/></channel></rss>"
        assert read(before).title == "Feed"
    assert atom(OWN, head=AUTHOR).title == "Feed"
    rdf = read(
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><title>Feed</title></channel>'
        f"{IMAGE}<item rdf:about='y'><title>Own</title></item></rdf:RDF>"
    )
    assert (rdf.title, [item.title for item in rdf.items]) == ("Feed", ["Own"])
    assert rdf.notes == ()


def test_the_description_of_a_film_stands_for_that_of_an_entry_without_one() -> None:
    described = "<media:group><media:description>Film</media:description></media:group>"
    own, film, full = rss(
        f"<guid>1</guid><description>Own</description>{described}",
        f"<guid>2</guid>{described}",
        f"<guid>3</guid>{described}<content:encoded>Full</content:encoded>",
    ).items
    assert (own.html, own.is_full) == ("Own", False)
    assert (film.html, full.html) == ("Film", "Full")
    assert full.is_full


@pytest.mark.parametrize(
    ("inside", "html"),
    [
        ("<![CDATA[<pre><!ENTITY xxe SYSTEM 'x'></pre>]]>", "<pre><!ENTITY xxe SYSTEM 'x'></pre>"),
        ("<![CDATA[ use <!DOCTYPE ]]>", "use <!DOCTYPE"),
        ("<![CDATA[<!DOCTYPE foo [ ]]>", "<!DOCTYPE foo ["),
        ("<!-- <!DOCTYPE x [ <!ENTITY y 'z'> -->text", "text"),
        ("use <!DOCTYPE html>", "use <!DOCTYPE html>"),
        ("<![CDATA[" + "<div>" * 300 + "]]>", "<div>" * 300),
        ("<![CDATA[</item></channel></rss>]]>", "</item></channel></rss>"),
        ("a<br>" * 250, "a<br>" * 250),
        ("<img src='/x.png'>" * 250, '<img src="/x.png">' * 250),
        ("a<br/>b<br></br>c", "a<br>b<br>c"),
        ("caf&eacute;&nbsp;&hellip; AT&amp;T &lt;b&gt;", "café\xa0… AT&T <b>"),
    ],
)
def test_what_stands_in_one_text_refuses_no_feed(inside: str, html: str) -> None:
    other = "<guid>{}</guid><title>T</title><description>gut</description>"
    feed = rss(
        other.format(1), f"<guid>2</guid><description>{inside}</description>", other.format(3)
    )
    assert [item.guid for item in feed.items] == ["1", "2", "3"]
    assert feed.items[1].html == html
    assert feed.notes == ()


def test_a_text_that_is_too_deep_costs_one_entry() -> None:
    deep = f"<guid>2</guid><description>{'<div>' * 300}</description>"
    feed = rss("<guid>1</guid>", deep, "<guid>3</guid>")
    assert [item.guid for item in feed.items] == ["1", "3"]
    assert feed.notes == ("1 entry left out: elements nested deeper than 200 levels",)
    for text in (deep, "<a>" * 300):
        with pytest.raises(UnusableError, match="nested deeper"):
            rss(text)


def test_what_follows_the_end_of_a_feed_is_no_cut() -> None:
    whole = "<rss version='2.0'><channel><item><guid>1</guid></item></channel></rss>"
    assert read(f"{whole}\n<!-- {'cached ' * 500} -->\n").notes == ()
    cut = read(whole.replace("</channel></rss>", "<item><guid>2</guid><title>x"))
    assert [item.guid for item in cut.items] == ["1"]
    assert cut.notes == ("it is cut off: only whole entries were read",)
    end = "</guid></item><item><guid>2</guid><description><![CDATA[ </item></channel></rss> "
    in_text = read(f"<rss version='2.0'><channel><item><guid>1{end}")
    assert [item.guid for item in in_text.items] == ["1"]
    assert in_text.notes == ("it is cut off: only whole entries were read",)
