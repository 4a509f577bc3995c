"""A query, and the articles that match it."""

import pytest

from aggregator.articles.search_query import parse
from aggregator.articles.search_text import searched

TEXT = searched("港口扩建", "<p>Global  shipping 回升５．２％。</p>", "text/html", ["晨报"])


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("港口", True),
        ("口扩", True),
        ("SHIPPING 晨报", True),
        ("hippin", True),
        ('"global shipping"', True),
        ('"shipping global"', False),
        ("shipping global", True),
        ("5.2%", True),
        ("港口 机场", False),
        ("港口 -机场", True),
        ("港口 -shipping", False),
        ("lobals", False),
    ],
)
def test_all_words_must_be_in_it_and_none_that_excludes(query: str, is_found: bool) -> None:
    assert parse(query).matches(TEXT) is is_found


@pytest.mark.parametrize("query", ["b A -d -c", "“a” B B -c -D", '-"C" -d a b'])
def test_a_query_has_one_text_however_it_is_written(query: str) -> None:
    assert parse(query).text == "a b -c -d"


@pytest.mark.parametrize("query", ['"a b" -"c d"', '"-a" b', 'a"b'])
def test_the_text_of_a_query_is_the_same_query(query: str) -> None:
    text = parse(query).text
    assert parse(text).text == text
    assert set(parse(text).words) == set(parse(query).words)
