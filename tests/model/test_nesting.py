"""How deep JSON and TOML nest, before a parser sees them."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.errors import UnusableError
from aggregator.model.nesting import check_json, check_toml

texts = st.text("[]{}\"'\\\nab", max_size=6)
documents = st.recursive(
    texts | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=20,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(documents, st.integers(1, 5))
def test_json_is_as_deep_as_a_parser_finds_it(value: object, limit: int) -> None:
    text = json.dumps(value)
    try:
        check_json(text + " [[[[[[[[", limit)
    except UnusableError:
        assert depth(value) > limit or not isinstance(value, dict | list)
    else:
        assert depth(value) <= limit


@given(st.lists(texts, max_size=8), st.integers(1, 3))
def test_brackets_in_texts_of_toml_are_not_deep(values: list[str], limit: int) -> None:
    text = "x = [" + ", ".join(json.dumps(one) for one in values) + "]"
    assert tomllib.loads(text) == {"x": values}
    check_toml(text, limit)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = " + "[" * 4, 2),
        ("a = 1\n\n" + "a." * 4 + "b = 1", 3),
        ('a = """\n]\n"""\nb = [[[[', 4),
        ("a = {a = {a = {a = {", 1),
    ],
)
def test_what_is_deeper_says_where(text: str, line: int) -> None:
    with pytest.raises(UnusableError, match="nested deeper than 3 levels") as raised:
        check_toml(text, 3)
    assert raised.value.line == line


def test_json_without_end_is_judged_too() -> None:
    with pytest.raises(UnusableError, match="nested deeper than 100 levels") as raised:
        check_json('{"a":\n' + "[" * 100_000)
    assert raised.value.line == 2
    check_json('"' + "[" * 100_000)
