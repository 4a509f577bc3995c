"""The authors of an article, as one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.authors import MAX_AUTHOR, author_of


@pytest.mark.parametrize(
    ("names", "author"),
    [
        (["Ann", "Bob", "Ann"], "Ann, Bob"),
        (["<b>Ann</b>\n Lee", None, 7, ""], "Ann Lee"),
        (["a@b.example", "Bob"], "Bob"),
        (["a@b.example"], None),
        ([], None),
    ],
)
def test_names_stand_once_and_addresses_do_not(names: list[object], author: str | None) -> None:
    assert author_of(names) == author


@given(st.lists(st.text(max_size=400), max_size=5))
def test_whatever_the_names_are_the_author_is_one_line(names: list[str]) -> None:
    author = author_of(names)
    assert author is None or (author.strip() == author and len(author) <= MAX_AUTHOR + 1)
    assert author is None or "\n" not in author
