"""The sections that name origins."""

from typing import Any

import pytest
from configured import settings_with
from pydantic import ValidationError

LIST = {"url": "http://a.example/list"}


def test_each_origin_has_a_name() -> None:
    found = settings_with(
        posts=[{"path": "a"}, {"path": "a", "layout": "plain"}],
        lists=[LIST | {"shape": "record"}],
        subscriptions=[{"url": "http://a.example/feed"}],
    )
    assert [section.name for section in (*found.posts, *found.lists, *found.subscriptions)] == [
        "posts:a/**/*", "posts:a/*.md", "lists:http://a.example/list",
        "subscriptions:http://a.example/feed",
    ]  # fmt: skip


def test_robots_txt_is_heeded_except_for_feeds() -> None:
    found = settings_with(
        lists=[LIST | {"shape": "record"}], subscriptions=[{"url": "http://a.example/feed"}]
    )
    assert (found.shares[0].robots, found.lists[0].robots) == (True, True)
    assert found.subscriptions[0].robots is False


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ({"lists": [LIST]}, "needs items:, or shape: nodeList, records or record"),
        ({"lists": [LIST | {"items": "a["}]}, "items is not a JMESPath expression"),
        ({"lists": [LIST | {"items": "a", "next": "a["}]}, "next is not a JMESPath expression"),
        (
            {"lists": [LIST | {"items": "a", "fields": {"title": "a["}}]},
            "title is not a JMESPath expression",
        ),
        ({"lists": [LIST | {"items": "a", "fields": {"x": "a"}}]}, "Input should be"),
        ({"shares": [{"text": {"html": "a["}}]}, "html is not a JMESPath expression"),
        ({"shares": [{"match": "x"}]}, "needs a group named code"),
        ({"shares": [{"refresh": {"every": "0s"}}]}, "must be longer than 0 s"),
    ],
)
def test_a_section_that_could_never_be_read(sections: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match="1 validation error") as raised:
        settings_with(**sections)
    assert reason in str(raised.value)


def test_selectors_of_html_are_no_expressions() -> None:
    section = LIST | {"format": "html", "items": "li[x]", "fields": {"title": "a[href]"}}
    assert settings_with(lists=[section]).lists[0].items == "li[x]"
    text = {"format": "html", "html": "div[x]", "url": "{url}"}
    assert settings_with(shares=[{"text": text}]).shares[0].text is not None
