"""How a query is written (docs/search.md)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.errors import QueryError
from aggregator.model.search_words import MAX_LENGTH, MAX_WORDS, split


@pytest.mark.parametrize(
    ("query", "words", "without"),
    [
        ("港口 GDP", ["港口", "GDP"], []),
        ('"interest  rate" 5%', ["interest rate", "5%"], []),
        ("“利率” -Fed -“降 息”", ["利率"], ["Fed", "降 息"]),
        ('a "b c', ["a", "b c"], []),
        ('6"-pipe x-ray', ['6"-pipe', "x-ray"], []),
        ("a - --b", ["a", "-"], ["-b"]),
        ('a "" -""', ["a"], []),
        ("a\u3000b\x00c", ["a", "bc"], []),
        ("NEAR(a b) col:x*", ["NEAR(a", "b)", "col:x*"], []),
    ],
)
def test_words_phrases_and_what_is_left_out(
    query: str, words: list[str], without: list[str]
) -> None:
    assert split(query) == (tuple(words), tuple(without))


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("", "has no words"),
        ("  \u3000 ", "has no words"),
        ('"" \x00 \u200b', "has no words"),
        ("-a -b", "only words that exclude"),
        ("a" * (MAX_LENGTH + 1), "200 characters"),
        ("a " * (MAX_WORDS + 1), "20 words"),
    ],
)
def test_a_query_with_nothing_in_it_or_too_much(query: str, complaint: str) -> None:
    with pytest.raises(QueryError, match=complaint):
        split(query)


@given(st.text(max_size=MAX_LENGTH))
def test_any_text_is_a_query_or_is_refused(query: str) -> None:
    try:
        found = split(query)
    except QueryError:
        return
    assert found.words
    assert all(word.strip() == word != "" for word in found.words + found.without)
