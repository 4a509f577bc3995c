"""Titles on one line, cut at a length."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.titles import MAX_TITLE, one_line


@given(st.text(max_size=80), st.integers(1, 60))
def test_a_title_is_one_line_of_a_bounded_length(text, limit) -> None:
    found = one_line(text, limit)
    assert len(found.splitlines()) <= 1
    assert len(found) <= limit + 1
    whole = " ".join(text.split())
    assert found == whole if len(whole) <= limit else whole.startswith(found.removesuffix("…"))


def test_a_cut_is_shown() -> None:
    assert one_line("字" * (MAX_TITLE + 1)) == "字" * MAX_TITLE + "…"
    assert one_line(" eins\n\tzwei ") == "eins zwei"
