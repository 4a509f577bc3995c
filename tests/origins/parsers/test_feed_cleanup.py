"""What of a feed in XML reaches a parser."""

import pytest
from lxml import etree

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.feed_cleanup import MAX_DEPTH, MAX_PERSON, prepared

ITEMS = "<item><title>1</title></item><item><title>2</title></item>"
RSS = f"<rss version='2.0'><channel><title>甲</title>{ITEMS}</channel></rss>"


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
        ('<!DOCTYPE r [<!ENTITY a "b">]>' + RSS, "entities"),
        (RSS.replace("甲", "<!ENTITY a 'b'>"), "entities"),
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
