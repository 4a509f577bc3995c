"""JSON in whatever encoding, and the texts in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers import json_body

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text('ab"\\[]{}北', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=8,
)


@given(values)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert json_body.load(json.dumps(value).encode()) == value
    assert (
        json_body.load(json.dumps(value, ensure_ascii=False).encode(), "; charset=utf-8") == value
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b" \n", "an empty response"),
        (b"\n <html>", "not JSON but HTML"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a": NaN}', "an unreadable number"),
        (b"[1" + b"0" * 5000 + b"]", "an unreadable number"),
        (b"{", "not JSON: "),
    ],
)
def test_what_is_no_json_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        json_body.load(data)


DOCUMENT = {"a": " x\ny ", "n": 7, "f": 1.5, "t": True, "l": [], "o": {}, "none": None, "c": "\x08"}


def test_a_text_is_a_text_or_a_number() -> None:
    found = {name: json_body.text(name, DOCUMENT, "title") for name in ("a", "n", "f", "c", "none")}
    assert found == {"a": " x\ny ", "n": "7", "f": "1.5", "c": "", "none": ""}
    assert json_body.text(None, DOCUMENT, "title") == ""
    assert json_body.line("a", DOCUMENT, "title") == "x y"
    assert json_body.line("a", DOCUMENT, "title", 1) == "x…"


@pytest.mark.parametrize(
    ("name", "kind"), [("t", "true or false"), ("l", "a list"), ("o", "an object")]
)
def test_anything_else_is_refused_as_a_text_and_no_code(name: str, kind: str) -> None:
    with pytest.raises(UnusableError, match=f"its title is {kind}, not text"):
        json_body.text(name, DOCUMENT, "title")
    assert json_body.code(name, DOCUMENT) == ""


def test_codes_and_expressions() -> None:
    assert json_body.code("x || n", DOCUMENT) == "7"
    assert json_body.search("length(l)", DOCUMENT) == 0
    with pytest.raises(UnusableError, match=r"length\(n\)"):
        json_body.search("length(n)", DOCUMENT)
