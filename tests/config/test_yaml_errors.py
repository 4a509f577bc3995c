"""What to do about a document that is not YAML."""

import pytest
import yaml

from aggregator.config.yaml_errors import reason_of


def reason(text: str, loader: str) -> tuple[str, int | None]:
    with pytest.raises(yaml.YAMLError) as raised:
        yaml.load(text, Loader=getattr(yaml, loader))
    return reason_of(raised.value, text)


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize(
    ("text", "advice", "line"),
    [
        ("a:\n\tb: 1\n", "tabs are not allowed", 2),
        ("a: b: c\n", "put quotes around a text with ': ' in it", 1),
        ("a: 1\n  b: 2\n", "does not fit the line above", 2),
        ("a: @x\n", "put quotes around a text that starts with @", 1),
        ("a: *\n", "put quotes around a text that starts with * or &", 1),
        ("a: 'x' y\n", "text after a closing quote", 1),
        ("a:\n  b: 1\n c: 2\n", "the indentation does not fit", 3),
        ("a: 1\nb: 'x\nc: 1\n", "a quote or bracket is not closed", 2),
        ("a: [1\nb: 2\n", "brackets", None),
        ("a: 1\nb\n", "neither a `key: value` nor an item of a list", 2),
        ("a: 1\nb: \x01\n", "the character U+0001 is not allowed", 2),
    ],
)
def test_both_parsers_lead_to_the_same_advice(
    text: str, advice: str, line: int | None, loader: str
) -> None:
    found, where = reason(text, loader)
    assert advice in found
    assert line is None or where == line
