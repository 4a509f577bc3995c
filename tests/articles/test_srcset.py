"""Candidates of a srcset, by the rules of the HTML Standard."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles import srcset


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.jpg", [("a.jpg", "")]),
        ("a.jpg 1x, b.jpg 2x", [("a.jpg", "1x"), ("b.jpg", "2x")]),
        ("a.jpg 1x,b.jpg 2x", [("a.jpg", "1x"), ("b.jpg", "2x")]),
        ("a.jpg, b.jpg 1.5x", [("a.jpg", ""), ("b.jpg", "1.5x")]),
        ("w_400,c_fill/a.jpg 400w", [("w_400,c_fill/a.jpg", "400w")]),
        ("data:image/gif;base64,R0 1x, a.jpg", [("data:image/gif;base64,R0", "1x"), ("a.jpg", "")]),
        ("a.jpg 640w 480h", [("a.jpg", "640w 480h")]),
        ("a.jpg huge, b.jpg 1x", [("b.jpg", "1x")]),
        ("a.jpg (x, 2x), b.jpg", [("b.jpg", "")]),
        (" ,, a.jpg ,, ", [("a.jpg", "")]),
        ("", []),
    ],
)  # fmt: skip
def test_candidates(value: str, expected: list[tuple[str, str]]) -> None:
    assert list(srcset.candidates(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.jpg 1x, b.jpg 2x", "b.jpg"),
        ("a.jpg 300w, b.jpg 1200w, c.jpg 4000w", "b.jpg"),
        ("a.jpg 3000w, b.jpg 4000w", "a.jpg"),
        ("a.jpg", "a.jpg"),
        ("a.jpg nonsense", None),
    ],
)
def test_the_widest_that_a_reader_can_use(value: str, expected: str | None) -> None:
    assert srcset.best(value) == expected


PAIRS = st.tuples(st.text("a./", min_size=1, max_size=5), st.sampled_from(["", "2x", "640w"]))


@given(st.lists(PAIRS, max_size=5))
def test_what_is_written_is_read_again(found: list[tuple[str, str]]) -> None:
    written = [srcset.Candidate(*pair) for pair in found]
    assert list(srcset.candidates(srcset.text_of(written))) == written


@pytest.mark.parametrize("unit", ["a 1x,", ",", "(", "a (", "a (,", " ", "a,"])
def test_a_megabyte_takes_no_time(unit: str) -> None:
    start = time.perf_counter()
    found = list(srcset.candidates(unit * (1_000_000 // len(unit))))
    srcset.best(unit * (1_000_000 // len(unit)))
    assert len(found) <= srcset.MAX_CANDIDATES
    assert time.perf_counter() - start < 0.5
