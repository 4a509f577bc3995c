"""What of a feed in XML reaches a parser."""

import pytest
from feed_documents import URL, rss
from lxml import etree

from aggregator.model.errors import UnusableError
from aggregator.model.polls import Cadence
from aggregator.origins.parsers.feed_cleanup import MAX_PERSON, decode_feed
from aggregator.origins.parsers.feed_cleanup import prepared as prepared_text
from aggregator.origins.parsers.feed_markup import MAX_DEPTH

ITEMS = "<item><title>1</title></item><item><title>2</title></item>"
RSS = f"<rss version='2.0'><channel><title>甲</title>{ITEMS}</channel></rss>"


def prepared(data: bytes, content_type: str) -> tuple[bytes, bool]:
    feed = prepared_text(decode_feed(data, content_type), URL)
    return feed.document, any("cut off" in note for note in feed.notes)


def titles(data: bytes) -> list[str]:
    return [title.text for title in etree.fromstring(data).iter("title")]


@pytest.mark.parametrize(
    "head",
    [
        "",
        "<?xml version='1.0' encoding='utf-8'?>",
        "<?xml version='1.0' encoding='utf-7'?>",
        '<!DOCTYPE rss PUBLIC "-//x//y" "http://a.example/rss.dtd">',
        "\ufeff\n <?xml version='1.0'?>\n<!-- x -->",
    ],
)
def test_a_whole_document_is_utf_8_without_a_document_type(head: str) -> None:
    data, is_cut = prepared((head + RSS).encode(), "")
    assert titles(data) == ["甲", "1", "2"]
    assert data.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    assert b"DOCTYPE" not in data
    assert not is_cut


def test_the_encoding_that_is_declared() -> None:
    text = f"<?xml version='1.0' encoding='big5'?>{RSS}"
    assert titles(prepared(text.encode("big5"), "")[0])[0] == "甲"
    assert titles(prepared(RSS.encode("gbk"), "text/xml; charset=gb2312")[0])[0] == "甲"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE r [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>' + RSS, "entities"),
        (RSS.replace("甲", "<a>" * MAX_DEPTH), "nested deeper"),
        ("<rss><channel><item><title>1", "cut off before the end of its first"),
        ("nothing", "not a feed"),
    ],
)
def test_what_no_parser_may_see(text: str, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        prepared(text.encode(), "")


def test_tags_in_comments_and_texts_are_not_deep() -> None:
    deep = "<a>" * (2 * MAX_DEPTH)
    for hidden in (f"<!--{deep}-->", f"<![CDATA[{deep}]]>", "<a/>" * (2 * MAX_DEPTH)):
        data, _ = prepared(RSS.replace("甲", f"甲{hidden}").encode(), "")
        assert titles(data)[0].startswith("甲")


@pytest.mark.parametrize("end", range(len(RSS) - len("</channel></rss>"), len(RSS) - 6, 3))
def test_of_a_feed_that_is_cut_off_the_whole_entries_are_left(end: int) -> None:
    data, is_cut = prepared(RSS[:end].encode(), "")
    assert is_cut
    assert titles(data) == ["甲", "1", "2"]


def test_a_cut_entry_is_left_out() -> None:
    data, is_cut = prepared(RSS.partition("2</title>")[0].encode(), "")
    assert is_cut
    assert titles(data) == ["甲", "1"]


def test_an_author_of_any_length_is_cut() -> None:
    text = RSS.replace("<item>", f"<item><author>{'x' * 9 * MAX_PERSON}</author>")
    found = [
        element.text for element in etree.fromstring(prepared(text.encode(), "")[0]).iter("author")
    ]
    assert found == ["x" * MAX_PERSON] * 2


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE rss [<!ENTITY % HTMLlat1 PUBLIC '-//W3C//ENTITIES Latin 1 for XHTML//EN' "
        "'http://www.w3.org/TR/xhtml1/DTD/xhtml-lat1.ent'> %HTMLlat1;]>",
        '<!DOCTYPE rss [\n<!-- it\'s a "comment" ]> -->\n<!ENTITY nbsp "&#160;">\n]  >',
        '<!-- before --><!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "a>b.dtd">',
    ],
)
def test_document_types_of_old_feeds(doctype: str) -> None:
    feed = rss("<title>caf&eacute;&nbsp;1</title>", doctype=doctype)
    assert [item.title for item in feed.items] == ["café 1"]
    assert feed.notes == ()


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY l0 "ha"><!ENTITY l1 "&l0;&l0;">',
        f'<!ENTITY a "{"x" * 9000}">',
        "".join(f'<!ENTITY a{n} "x">' for n in range(200)),
        '<!ENTITY % p "x"> <!ENTITY\nx SYSTEM "file:///etc/passwd">',
        '<!ENTITY nbsp "&#160;"><!ENTITY nbsp2 "&nbsp;&nbsp;">',
    ],
)
def test_entities_of_its_own_are_refused(subset: str) -> None:
    with pytest.raises(UnusableError, match="its own XML entities"):
        rss("<title>&l0;</title>", doctype=f"<!DOCTYPE rss [{subset}]>")


def test_short_texts_that_a_document_type_declares() -> None:
    doctype = "<!DOCTYPE rss [<!ENTITY id \"tag:x.example,\"> <!ENTITY by '1 > 0'>]>"
    (item,) = rss("<guid>&id;2006:/</guid><title>&by; &more;</title>", doctype=doctype).items
    assert (item.guid, item.title) == ("tag:x.example,2006:/", "1 > 0 &more;")
    much = f'<!DOCTYPE rss [<!ENTITY a "{"x" * 100}">]>'
    with pytest.raises(UnusableError, match="its own XML entities"):
        rss(f"<title>{'&a;' * 5000}</title>", doctype=much)


@pytest.mark.parametrize(
    ("head", "cadence"),
    [
        ("", None),
        ("<ttl>60</ttl>", Cadence(3600)),
        ("<ttl> <![CDATA[90]]> </ttl>", Cadence(5400)),
        ("<ttl>-5</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>9999999</ttl>", Cadence(86400)),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>",
         Cadence(1800)),
        ("<sy:updatePeriod> daily </sy:updatePeriod>", Cadence(86400)),
        ("<ttl>60</ttl><sy:updatePeriod>daily</sy:updatePeriod>"
         "<sy:updateFrequency>4</sy:updateFrequency>", Cadence(21600)),
        ("<skipHours><hour>0</hour><hour>5</hour><hour>24</hour></skipHours>",
         Cadence(0, (0, 5))),
        ("<skipDays><day>Sunday</day><day>Monday</day><day>Someday</day></skipDays>",
         Cadence(0, (), (0, 6))),
    ],
)  # fmt: skip
def test_how_often_a_feed_wants_to_be_fetched(head: str, cadence: Cadence | None) -> None:
    assert rss("<title>T</title><ttl>7</ttl>", head=head).cadence == cadence


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("1 &lt 2 &amp 3", "1 < 2 & 3"),
        ("a &#60 b &#x3e", "a < b >"),
        ("a & b &copy 2", "a & b © 2"),
        ("AT&T, Q&ampA", "AT&T, Q&ampA"),
        ("a &more; b", "a &more; b"),
        ("<![CDATA[a & b]]>", "a & b"),
        ("a &#0 b", "a \ufffd b"),
    ],
)
def test_references_without_a_semicolon_and_ampersands_that_are_none(
    written: str, title: str
) -> None:
    link = "http://x.example/?a=1&copy=2&lt=3&amp;b"
    first, second = rss(f"<title>{written}</title><link>{link}</link>", "<title>next</title>").items
    assert (first.title, second.title) == (title, "next")
    assert first.link == "http://x.example/?a=1&copy=2&lt=3&b"


def test_many_ampersands_refuse_no_feed() -> None:
    assert rss(f"<title>x</title><description>{'&' * 200_000}</description>").notes == ()
