"""What was found upstream, as a copy of an article."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from aggregator.model.errors import UnusableError
from aggregator.model.packing import unpack
from aggregator.origins.copies import as_html, first_words, make_copy, unreadable_dates

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
CODE = "NW202201272264567295"


def dates_of(**values: object) -> tuple[datetime.datetime | None, datetime.datetime]:
    values = {"code": CODE} | values
    found = make_copy("lists", "x", html="<p>x</p>", zone=ZONE, now=NOW, **values)  # type: ignore[arg-type]
    return found.published, found.published_guess


def test_a_date_counts_if_it_can_be_read_and_is_plausible() -> None:
    noon = datetime.datetime(2022, 1, 27, 4, tzinfo=datetime.UTC)
    assert dates_of(date="2022-01-27 12:00") == (noon, noon)
    assert dates_of(published=noon, date="2021-01-01") == (noon, noon)
    day = datetime.datetime(2022, 1, 27, tzinfo=ZONE)
    for bad in ("", "昨天", "1989-12-31", "2022-01-29"):
        published, guess = dates_of(date=bad)
        assert published is None
        assert day <= guess < day + datetime.timedelta(days=1)
    assert dates_of(code="url/a.example/x") == (None, NOW)
    assert dates_of(code="NW202301272264567295") == (None, NOW)


def test_the_first_words_stand_in_for_a_missing_title() -> None:
    found = make_copy("lists", "x", CODE, "<p>Erste Worte.</p>", ZONE, NOW)
    assert (found.title, found.title_guess, unpack(found.body)) == (
        "", "Erste Worte.", "<p>Erste Worte.</p>"
    )  # fmt: skip
    assert make_copy("lists", "x", CODE, "<p>x</p>", ZONE, NOW, title="T").title_guess == ""
    assert first_words("<p></p>\n" * 125 + "<p>spät</p>") == "spät"
    assert first_words("<p></p>") == ""
    assert first_words("<p>Kurz.</p>" + "<img alt='x' src='http://a.example/b'>" * 30) == "Kurz."


def test_another_title_or_text_is_another_text() -> None:
    hashes = {
        make_copy("lists", "x", CODE, html, ZONE, NOW, title=title).raw_hash
        for html, title in (("a", "T"), ("b", "T"), ("a", "U"), ("", "aT"), ("\ud800", "T"))
    }
    assert len(hashes) == 5


def test_a_text_beyond_the_limits_is_refused() -> None:
    with pytest.raises(UnusableError, match="nested deeper"):
        make_copy("lists", "x", CODE, "<div>" * 100_000, ZONE, NOW)


def test_dates_that_cannot_be_read_are_told_once() -> None:
    assert unreadable_dates(["", "2022-01-27"], ZONE) is None
    one = unreadable_dates(["2022-01-27", "昨天"], ZONE)
    assert one is not None
    assert "昨天" in one
    assert unreadable_dates(["昨天", "soon", "今天"], ZONE) == f"{one}, and 2 more"


def test_plain_text_becomes_paragraphs_and_html_stays() -> None:
    assert as_html("1 < 2\n\n A &amp; B ") == "<p>1 &lt; 2</p>\n<p>A &amp; B</p>"
    assert as_html("x<br>y") == "x<br>y"
