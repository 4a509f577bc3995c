"""YAML as plain data, or refused."""

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aggregator.config import safe_yaml
from aggregator.model.errors import UnusableError


def indented(levels: int) -> str:
    return "\n".join(" " * level + "a:" for level in range(levels))


DEEP = {
    "brackets": lambda levels: "title: " + "[" * levels,
    "closed brackets": lambda levels: "title: " + "[" * levels + "]" * levels,
    "braces": lambda levels: "title: " + "{a: " * levels,
    "dashes": lambda levels: "- " * levels + "x",
    "indented": indented,
    "behind an apostrophe": lambda levels: f"x: it's\ny: {'[' * levels}\nz: it's",
    "closed in quotes": lambda levels: "x: [" + '\n["]",' * levels,
}
ODD_VALUES = [
    "null",
    "true",
    "no",
    "0777",
    "1_000",
    "1e3",
    "12:30",
    "2021-12-16",
    "-5",
    "0x1f",
    ".5",
    "~",
    "''",
    '"a',
    'b"',
]
flat_values = st.one_of(
    st.text("ab :#'\"[]{}&*!|>%@`-+0123456789.~\\北京", max_size=12), st.sampled_from(ODD_VALUES)
)
flat_pairs = st.lists(st.tuples(st.sampled_from(["title", "date", "x-y", "_z"]), flat_values))


@given(flat_pairs)
def test_the_short_way_through_plain_lines_agrees_with_the_parser(pairs) -> None:
    text = "\n" + "".join(f"{key}: {value}\n" for key, value in pairs)
    short, long = safe_yaml.Document(), safe_yaml.Document()
    assume(safe_yaml._load_flat(text, short))
    safe_yaml._build(text, long)
    assert short.value == long.value
    assert short.lines == {path: line for path, line in long.lines.items() if path}
    assert short.duplicates == long.duplicates


@settings(deadline=None)
@given(st.text("ab: -[]{}&*?!|>'\"\n#<~", max_size=60))
def test_any_yaml_is_plain_data_or_unusable(text) -> None:
    try:
        found = safe_yaml.load(text).value
    except UnusableError:
        return
    assert yaml.safe_load(yaml.safe_dump(found)) == found


@pytest.mark.parametrize("parser", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("levels", [25, 399, 401, 999, 1001])
@pytest.mark.parametrize("case", DEEP)
def test_04_depth_is_judged_alike_by_every_parser(
    case: str, levels: int, parser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_yaml, "_LOADER", getattr(yaml, parser))
    with pytest.raises(UnusableError, match="nested deeper than 20 levels"):
        safe_yaml.load(DEEP[case](levels))


@pytest.mark.parametrize("parser", ["CSafeLoader", "SafeLoader"])
def test_04_many_lists_side_by_side_are_not_deep(
    parser: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_yaml, "_LOADER", getattr(yaml, parser))
    text = "images:\n" + "- {src: x, sizes: [1, 2]}\n" * 1_000 + "x: " + "- " * 500
    found = safe_yaml.load(text.replace("x: - ", "x: a- ")).value
    assert isinstance(found, dict)
    assert found["images"] == [{"src": "x", "sizes": [1, 2]}] * 1_000
