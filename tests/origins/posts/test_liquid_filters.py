"""Jekyll's filters, and limits for all."""

import pytest
from liquid.exceptions import ResourceLimitError

from aggregator.origins.posts.liquid_filters import MAX_VALUE, guarded, jekyll_filters

FILTERS = jekyll_filters()


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("date_to_string", ("2021-03-09 23:00:00 -0800",), "09 Mar 2021"),
        ("date_to_string", ("soon",), "soon"),
        ("date_to_xmlschema", ("2021-03-09",), "2021-03-09T00:00:00+00:00"),
        ("date_to_rfc822", ("2021-03-09",), "Tue, 09 Mar 2021 00:00:00 +0000"),
        ("array_to_sentence_string", (["a", "b", "c"], "or"), "a, b, or c"),
        ("array_to_sentence_string", ("a",), "a"),
        ("number_of_words", ("你好 a b",), 3),
        ("number_of_words", ("你好 a b", "cjk"), 4),
        ("slugify", ("A_b c", "raw"), "a_b-c"),
        ("slugify", ("Ab, c.d", "pretty"), "ab,-c.d"),
        ("slugify", ("Ähm", "ascii"), "hm"),
        ("slugify", ("A b", "none"), "a b"),
        ("to_integer", ("12 x",), 12),
        ("to_integer", (True,), 1),
        ("to_integer", ("x",), 0),
        ("push", ([1], 2), [1, 2]),
        ("unshift", ([1], 2), [2, 1]),
        ("pop", ([1, 2],), [1]),
        ("shift", ("a",), "a"),
        ("where_exp", ([1], "x", "x.y"), [1]),
    ],
)
def test_filters(name: str, arguments: tuple[object, ...], expected: object) -> None:
    assert FILTERS[name](*arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("replace", ("a" * 2000, "a", "b" * 2000)),
        ("join", (["a"] * 2000, "b" * 2000)),
        ("jsonify", (["a" * 2000] * 2000,)),
        ("append", ("a" * MAX_VALUE, "b")),
        ("times", (10**10, 10**10)),
    ],
)
def test_what_would_become_too_large_is_refused(name: str, arguments: tuple[object, ...]) -> None:
    made = {
        "replace": str.replace,
        "join": lambda value, mark: mark.join(value),
        "append": str.__add__,
        "times": int.__mul__,
    }
    with pytest.raises(ResourceLimitError):
        guarded(name, made.get(name) or FILTERS[name])(*arguments)


def test_values_of_other_kinds_are_left_alone() -> None:
    assert guarded("upcase", str.upper)(("a",)) == ("a",)
