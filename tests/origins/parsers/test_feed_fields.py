"""The fields of an entry, whatever is in them."""

import datetime
import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.origins.parsers import feed_fields

ZONE = ZoneInfo("Asia/Shanghai")
BASE = "http://a.example/feed"


@pytest.mark.parametrize(
    ("entry", "link"),
    [
        ({"links": [{"rel": "self", "href": "s"}, {"rel": "alternate", "href": " a "}]}, "a"),
        ({"links": [{"rel": "self", "href": "s"}], "link": "b"}, "b"),
        ({"id": "http://a.example/1", "guidislink": True}, "http://a.example/1"),
        ({"id": "http://a.example/1", "guidislink": False}, None),
        ({"id": "urn:x", "guidislink": True}, None),
        ({}, None),
    ],
)
def test_the_page_of_an_entry(entry: dict[str, object], link: str | None) -> None:
    assert feed_fields.link_of(entry) == link


@given(st.text(max_size=40))
def test_a_url_is_absolute_and_of_the_web_or_none(link: str) -> None:
    found = feed_fields.absolute_url(link, BASE)
    assert found is None or found.startswith(("http://", "https://"))


def test_urls() -> None:
    assert feed_fields.absolute_url("/x", BASE) == "http://a.example/x"
    assert feed_fields.absolute_url("http://[", BASE) is None
    assert feed_fields.absolute_url("mailto:x@a.example", BASE) is None
    assert feed_fields.absolute_url(None, BASE) is None


@given(st.text(max_size=60))
def test_plain_text_is_escaped_line_by_line(text: str) -> None:
    found = feed_fields.html_of({"value": text, "type": "text/plain"})
    inner = found.replace("<p>", "").replace("</p>", "")
    assert "<" not in inner
    assert found.count("<p>") == found.count("</p>") == (found.count("\n") + 1 if found else 0)


def test_a_style_of_any_length_is_left_out() -> None:
    style = "a:b;" * 5000
    for quote in "\"'":
        value = f"<p style={quote}{style}{quote} id=x>gut</p>"
        assert feed_fields.html_of({"value": value, "type": "text/html"}) == "<p id=x>gut</p>"


def test_titles_and_categories_are_one_line() -> None:
    assert feed_fields.title_of({"value": "<b>A</b>\n&amp; B", "type": "text/html"}) == "A & B"
    assert feed_fields.title_of({"value": "a < b", "type": "text/plain"}) == "a < b"
    assert feed_fields.title_of(None) == ""
    values = [" x\ny ", "x y", None, 7, "", "\x08", "z" * 200]
    assert feed_fields.categories_of(values) == ("x y", "z" * 100)
    assert len(feed_fields.categories_of(str(n) for n in range(99))) == 20


@pytest.mark.parametrize(
    ("length", "found"),
    [("12", 12), (12, 12), ("x", None), ("-1", None), (None, None), (10**300, None), ("１", None)],
)
def test_the_length_of_an_enclosure_is_a_number_or_unknown(length: object, found: object) -> None:
    (item,) = feed_fields.enclosures_of([("/a.mp3", " audio/mpeg ", length)], BASE)
    assert (item.url, item.media_type, item.length) == (
        "http://a.example/a.mp3",
        "audio/mpeg",
        found,
    )


def test_an_enclosure_without_a_web_address_is_none() -> None:
    assert feed_fields.enclosures_of([(None, "x", 1), ("javascript:x", "x", 1)], BASE) == ()


def test_the_first_plausible_date() -> None:
    noon = datetime.datetime(2022, 1, 27, 12, tzinfo=datetime.UTC)
    rfc = ("Thu, 27 Jan 2022 12:00:00 GMT", noon.timetuple())
    early = ("Thu, 01 Jan 1970 00:00:00 GMT", time.gmtime(0))

    def date(*pairs: tuple[object, object]) -> tuple[datetime.datetime | None, str]:
        return feed_fields.date_of(pairs, ZONE)

    assert date(rfc) == (noon, "")
    assert date(early, rfc) == (noon, "")
    assert date(early) == (None, "")
    assert date(("昨天", None), rfc) == (noon, "")
    assert date(("昨天", None), (None, None)) == (None, "昨天")
    # feedparser takes it for 1 November.
    found, unread = date(("2022/1/27 20:00", time.gmtime(0)))
    assert (found, unread) == (noon, "")
