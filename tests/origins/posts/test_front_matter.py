"""Metadata and body of a post, in YAML, TOML and JSON."""

import json

import pytest
import yaml
from conftest import Site
from hypothesis import given
from hypothesis import strategies as st
from one_post import only

from aggregator.model.errors import UnusableError
from aggregator.origins.posts.front_matter import (
    code_of,
    has_front_matter,
    split,
    text_of,
    words_of,
)

FRONT_MATTER = {
    "yaml": "---\ntitle: Titel\ndate: 2022-01-27 10:00:00 +0800\ncategories: [tech, x]\n---\nText",
    "toml": '+++\ntitle = "Titel"\ndate = 2022-01-27T10:00:00+08:00\n'
    'categories = ["tech"]\n+++\nText',
    "json": '{\n"title": "Titel", "date": "2022-01-27 10:00:00 +0800",\n'
    '"categories": ["tech"], "x": {"y": 1}\n}\nText',
    "blanks": "\n\n---  \ntitle: Titel\ndate: 2022-01-27T02:00:00Z\ncategory: tech\n---\nText",
}


@pytest.mark.parametrize("kind", FRONT_MATTER)
def test_front_matter(site: Site, kind: str) -> None:
    site.post("2022-01-27-x.md", FRONT_MATTER[kind])
    entry = only(site)
    assert (entry.title, entry.author) == ("Titel", "tech")
    assert entry.published == "2022-01-27T10:00:00+08:00"
    assert entry.content[0].value == "<p>Text</p>"


@given(st.dictionaries(st.sampled_from(["title", "x"]), st.text("ab :#'\"北", max_size=12)))
def test_what_was_written_as_yaml_json_or_toml_is_read_back(values: dict[str, str]) -> None:
    toml = "".join(f"{key} = {json.dumps(one)}\n" for key, one in values.items())
    for text in (
        f"---\n{yaml.safe_dump(values, allow_unicode=True)}---\nText",
        f"{json.dumps(values)}\nText",
        f"+++\n{toml}+++\nText",
    ):
        assert has_front_matter(text)
        found = split(text)
        assert (found.values, found.body.strip(), found.notes) == (values, "Text", [])


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ('title: "Er sagte "ja" dazu"', 'Er sagte "ja" dazu'),
        ("title: Börse: es geht weiter: ja", "Börse: es geht weiter: ja"),
        ("title: 'it's'", "it's"),
        ('title: "offen', "offen"),
        ("title: @x", "@x"),
    ],
)
def test_quotes_and_colons_are_mended(line: str, title: str) -> None:
    assert split(f"---\n{line}\ntags: [a]\n---\n").values == {"title": title, "tags": ["a"]}


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("Text", "no front matter", 1),
        ("\n\n---\ntitle: x\n", "is not closed", 3),
        ("---\n- x\n---\n", "must be keys and values", 2),
        ("---\na: 1\n  b: 2\n---\n", "YAML", 3),
        ("\n+++\na = 1\nb = \n+++\n", "not valid TOML", 4),
        ('{"a": 1,\n"b" 2}', "not valid JSON", 2),
        ("---\nx: " + "y" * 70_000 + "\n---\n", "more than 64 KiB", 1),
    ],
)
def test_front_matter_that_cannot_be_read_says_where(text: str, reason: str, line: int) -> None:
    with pytest.raises(UnusableError, match=reason) as raised:
        split(text)
    assert raised.value.line == line


def test_a_key_that_appears_twice_is_noted_where_it_stands() -> None:
    found = split("\n---\ntitle: eins\ntitle: zwei\n---\n")
    assert found.values == {"title": "zwei"}
    assert found.notes == [(4, "the key title appears twice: the last one was used")]


def test_texts_codes_and_words() -> None:
    assert [text_of(one) for one in (" a\nb ", 7, True, None, ["x"], "\x08")] == [
        "a b", "7", "", "", "", ""
    ]  # fmt: skip
    assert [code_of(one) for one in (None, "", 7, "x")] == [None, None, "7", "x"]
    with pytest.raises(UnusableError, match="is a list, not a code"):
        code_of(["x"])
    assert words_of("a b", ["c d", None, 7], None, True) == ["a", "b", "c d", "7"]
