"""The articles that a list endpoint names."""

import datetime
import json
from typing import Any

import pytest
from configured import settings_with

from aggregator.articles.sources import SourceKeys
from aggregator.model.errors import UnusableError
from aggregator.model.polls import Response
from aggregator.origins.from_settings import identity_rules
from aggregator.origins.interface import Reading
from aggregator.origins.lists import MAX_ITEMS, from_settings
from aggregator.origins.parsers.readers import Readers

URL = "http://a.example/list?page=1"
NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)
CODE = "NW202201272264567295"
SHARE = f"http://a.example/html_News/NewsShare.html?infoCode={CODE}"


def read(document: Any, **section: Any) -> Reading:
    settings = settings_with(lists=[{"url": URL, **({"shape": "records"} | section)}])
    body = json.dumps(document).encode()
    with Readers() as readers:
        (origin,) = from_settings(settings, identity_rules(settings), readers)
        response = Response(URL, 200, {"content-type": "application/json"}, body)
        return origin.read(URL, response, SourceKeys({"北京商报": "bjsb"}), NOW)


@pytest.mark.parametrize(
    ("shape", "item"),
    [
        (
            "nodeList",
            {"infocode": CODE, "simtitle": "T", "showtime": "2022-01-27 20:00", "from": "北京商报",
             "simdigest": "短讯"},
        ),
        (
            "records",
            {"id": CODE[2:], "title": "T", "showtime": "2022-01-27 20:00", "digest": "短讯"},
        ),
        (
            "record",
            {"infoCode": CODE, "title": "T", "datetime": "2022-01-27 20:00",
             "medianame": "北京商报"},
        ),
    ],
)  # fmt: skip
def test_the_fields_of_each_shape(shape: str, item: dict[str, str]) -> None:
    found = read({shape: [item]}, shape=shape)
    (copy,) = found.copies
    assert found.problems == ()
    assert (copy.code, copy.title, copy.is_full) == (CODE, "T", False)
    assert copy.published == datetime.datetime(2022, 1, 27, 12, tzinfo=datetime.UTC)
    assert copy.source == ("" if shape == "records" else "bjsb")
    assert (copy.share_url, found.pages) == (SHARE, (SHARE,))


def test_an_article_is_known_by_its_code_its_share_page_or_its_address() -> None:
    items = [
        {"infoCode": CODE, "title": "1", "url_w": "/x"},
        {"title": "2", "url_w": SHARE},
        {"title": "3", "url_w": f"http://b.example/a/{CODE[2:]}.html"},
        {"title": "4", "url_w": "http://b.example/x"},
    ]
    # The first of two copies at one place counts.
    copies = [copy for item in items for copy in read({"records": [item]}).copies]
    assert [copy.code for copy in copies] == [CODE, CODE, CODE, "url/b.example/x"]
    assert [copy.share_url for copy in copies] == [SHARE, SHARE, SHARE, None]
    assert [copy.link for copy in copies] == [
        "http://a.example/x", None, f"http://b.example/a/{CODE[2:]}.html", "http://b.example/x"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"title": "T"}, "it has neither a code nor an address"),
        ({"infoCode": "../x", "title": "T"}, "its code is not NW and 18 digits: '../x'"),
        ({"infoCode": CODE, "title": "<b> </b>"}, "it has no title"),
        ({"title": "T", "url_w": "javascript:x"}, "its address is not a web address"),
        ({"title": "T", "url_w": "http://["}, "its address is not a web address"),
        ({"title": ["T"], "url_w": "/x"}, "its title is a list, not text"),
    ],
)
def test_an_item_that_names_no_article_is_a_problem(item: dict[str, Any], reason: str) -> None:
    found = read({"records": [item, {"infoCode": CODE, "title": "gut"}]})
    assert [copy.title for copy in found.copies] == ["gut"]
    (problem,) = found.problems
    assert problem.location == URL
    assert problem.reason.startswith(f"item 1: {reason}")


def test_the_next_page_and_too_long_a_list() -> None:
    items = [{"url_w": f"/{number}", "title": "T"} for number in range(MAX_ITEMS + 1)]
    found = read({"records": items, "next": "?page=2"}, next="next")
    assert found.next_url == "http://a.example/list?page=2"
    assert len(found.copies) == MAX_ITEMS
    assert [problem.reason for problem in found.problems] == [
        "only the first 2,000 of 2,001 items were read"
    ]
    found = read({"records": [], "next": "http://["}, next="next")
    assert found.next_url is None
    assert found.problems[0].reason.startswith("its next page: its address is not a web address")


@pytest.mark.parametrize(("document", "kind"), [({}, "nothing"), ({"records": {}}, "no list")])
def test_an_answer_without_a_list_is_refused(document: object, kind: str) -> None:
    with pytest.raises(UnusableError, match=f"records finds {kind} in the response"):
        read(document)


def test_the_source_of_the_section_goes_first() -> None:
    item = {"infoCode": CODE, "title": "T", "medianame": "北京商报"}
    (copy,) = read({"record": [item]}, shape="record", source="x").copies
    assert copy.source == "x"
    (copy,) = read({"record": [item]}, items="record", shape=None,
                   fields={"code": "infoCode", "title": "title"}).copies  # fmt: skip
    assert (copy.code, copy.source) == (CODE, "")
