"""Share pages: which there are, how often they are requested, and what they say."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from configured import settings_with

from aggregator.articles.sources import SourceKeys
from aggregator.model.errors import OriginError, UnusableError
from aggregator.model.packing import unpack
from aggregator.model.polls import Response
from aggregator.origins.from_settings import identity_rules
from aggregator.origins.interface import Reading
from aggregator.origins.parsers.readers import Readers
from aggregator.origins.share_pages import SharePages, fill

NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
CODE = "NW202201272264567295"
URL = f"http://a.example/html_News/NewsShare.html?infoCode={CODE}"
PLAIN = {"match": r"/x/(?P<code>\d{18})", "refresh": {"for": "1h", "every": "7m"}, "robots": False}


def pages(*sections: dict[str, Any], base: Path = Path()) -> SharePages:
    settings = settings_with(shares=[{}, *sections], base=base)
    return SharePages(settings, identity_rules(settings), Readers())


def read(document: object, url: str = URL, *sections: dict[str, Any]) -> Reading:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    response = Response("http://b.example/text", 200, {"content-type": "application/json"}, body)
    return pages(*sections).read(url, response, SourceKeys({"北京商报": "bjsb"}), NOW)


def test_the_text_behind_a_page_has_an_address() -> None:
    assert pages().address(URL) == f"http://a.example/NewsData/GetNewsText.do?id={CODE}"
    assert pages().address("http://a.example/") is None
    plain = PLAIN | {"text": {"url": "{origin}/t?c={code}&u={url}&{x}"}}
    url = f"http://a.example/x/{CODE[2:]}"
    assert pages(plain).address(url) == f"http://a.example/t?c={CODE[2:]}&u={url}&{{x}}"
    assert fill("{a}-{b}", "http://x/", {"a": "/ä?", "b": None}) == "%2F%C3%A4%3F-"


def test_each_kind_of_page_has_its_pace() -> None:
    found = pages(PLAIN)
    url = f"http://a.example/x/{CODE[2:]}"
    assert (found.accepts(url), found.accepts(URL), found.accepts("http://x/")) == (
        True,
        True,
        False,
    )
    assert found.pace(url).every == datetime.timedelta(minutes=7)
    assert found.pace(url).longest == datetime.timedelta(minutes=28)
    assert found.pace(URL).every == datetime.timedelta(minutes=30)
    assert (found.obeys_robots(url), found.obeys_robots(URL)) == (False, True)
    assert found.window == 48 * HOUR
    recent = [found.is_recent(one, NOW - 2 * HOUR, NOW) for one in (url, URL, "http://x/")]
    assert recent == [False, True, False]
    assert found.is_recent(url, NOW - HOUR, NOW)


def test_pages_that_a_file_names(tmp_path: Path) -> None:
    listed = ["\ufeff# a comment", "", f" {URL} ", "http://a.example/2", URL]
    (tmp_path / "urls.txt").write_text("\r\n".join(listed), encoding="utf-8")
    section = PLAIN | {"urls": ["http://a.example/1", "file:urls.txt"]}
    found = pages(section, base=tmp_path).named_urls()
    assert found == ["http://a.example/1", URL, "http://a.example/2"]
    (tmp_path / "urls.txt").unlink()
    with pytest.raises(OriginError, match=r"urls\.txt: cannot be read"):
        pages(section, base=tmp_path).named_urls()


def test_a_page_is_one_copy_with_the_source_that_it_credits() -> None:
    text = "<p>正文</p><p>（文章来源：北京商报）</p>"
    found = read({"content": text, "title": "x"})
    (copy,) = found.copies
    assert (copy.code, copy.location, copy.share_url, copy.base) == (
        CODE, URL, URL, "http://b.example/text"
    )  # fmt: skip
    assert (copy.source, copy.source_name, unpack(copy.body)) == ("bjsb", "北京商报", text)
    assert (copy.title, copy.title_guess[:2], copy.is_full) == ("", "正文", True)
    assert found.problems == ()


def test_the_fields_that_a_section_names() -> None:
    fields = {"html": "d.t", "title": "d.h", "published": "d.p", "source": "d.s", "code": "d.c"}
    section = PLAIN | {"text": {"url": "{url}"} | fields}
    url = f"http://a.example/x/{CODE[2:]}"
    data = {"t": "eins\nzwei", "h": "<b>T</b>", "p": "昨天", "s": "Neu", "c": int(CODE[2:])}
    found = read({"d": data}, url, section)
    (copy,) = found.copies
    assert (copy.code, copy.title, copy.source) == (CODE, "T", "neu")
    assert unpack(copy.body) == "<p>eins</p>\n<p>zwei</p>"
    (problem,) = found.problems
    assert problem.location == url
    assert "昨天" in problem.reason


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"content": "<p>&nbsp;</p>"}, "an empty text"),
        ({"x": 1}, "JSON without a text"),
        ({"content": ["x"]}, "its text is a list"),
        (
            {"content": "x", "infoCode": "NW202101010000000001"},
            "is about NW2021.*, not NW2022",
        ),
        (b"<html>login", "not JSON but HTML"),
    ],
)
def test_an_answer_that_is_not_the_text_is_refused(document: object, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        read(document)


def test_an_image_is_a_text_and_another_page_is_none() -> None:
    assert len(read({"content": "<img src=/x.png>"}).copies) == 1
    with pytest.raises(UnusableError, match="no pattern of shares"):
        read({"content": "x"}, "http://a.example/")


def test_what_is_read_otherwise_has_other_rules() -> None:
    one = pages(PLAIN)
    assert pages(PLAIN | {"refresh": {"every": "9m"}, "robots": True}).rules == one.rules
    assert pages(PLAIN | {"text": {"html": "x"}}).rules != one.rules
