"""What rules take out of texts, and which articles they exclude."""

import time

import pytest
from configured import settings_with
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.content_rules import ContentRules, clean, words_of
from aggregator.articles.sanitize import MARKDOWN, sanitize

BASE = "https://finews.example.org/"


def rules_of(*rules: object) -> ContentRules:
    return ContentRules(settings_with(rules=list(rules)).rules)


def cleaned(text: str, *rules: object, kind: str = "text/html") -> tuple[str, list[int]]:
    found = clean(text, kind, BASE, rules_of(*rules).for_text("s", ["posts:p"]))
    return found.html, list(found.changed_by)


def test_elements_are_removed_by_what_sanitizing_would_remove() -> None:
    html = "<p>甲</p><div class='ad'><p>广告</p></div><p id=share>分享</p><p>乙</p>"
    found, numbers = cleaned(html, {"remove": [".ad", "#share"]})
    assert (found, numbers) == ("<p>甲</p><p>乙</p>", [1])


def test_markdown_is_rendered_before_elements_are_removed() -> None:
    text = "甲\n\n![x](a.png)\n\n乙"
    found, numbers = cleaned(text, {"remove": ["img"]}, kind=MARKDOWN)
    assert (found, numbers) == ("<p>甲</p>\n\n<p>乙</p>", [1])


def test_patterns_are_replaced_in_what_is_shown_and_the_outcome_is_safe() -> None:
    html = "<p onclick='x()'>正文（责任编辑：甲乙）</p>"
    found, numbers = cleaned(html, {"replace": [["（责任编辑：([^）]*)）", ""]]})
    assert (found, numbers) == ("<p>正文</p>", [1])
    swapped, _ = cleaned(html, {"replace": [["（责任编辑：([^）]*)）", r" – \1"]]})
    assert swapped == "<p>正文 – 甲乙</p>"
    evil, _ = cleaned(html, {"replace": [["正文", "<script>alert(1)</script><b>x"]]})
    assert evil == "<p><b>x（责任编辑：甲乙）</b></p>"


def test_rules_apply_in_their_order_and_each_that_changed_something_is_counted() -> None:
    rules = [{"remove": [".none"]}, {"replace": [["a", "b"]]}, {"replace": [["b", "c"]]}]
    assert cleaned("<p>a</p>", *rules) == ("<p>c</p>", [2, 3])


@given(st.text(alphabet="<>&ab甲 /p", max_size=60))
def test_a_text_that_no_rule_matches_is_the_sanitized_text(text: str) -> None:
    found = cleaned(text, {"remove": [".none"], "replace": [["none", ""]]})
    assert found == (sanitize(text, "text/html", BASE), [])


@pytest.mark.parametrize(
    ("rule", "source", "origins", "applies"),
    [
        ({}, "甲", [], True),
        ({"sources": ["甲", "乙"]}, "乙", [], True),
        ({"sources": ["甲"]}, "乙", [], False),
        ({"origins": ["subscriptions"]}, "甲", ["subscriptions:https://a.example/"], True),
        ({"origins": ["posts:posts/*.md"]}, "甲", ["shares", "posts:posts/*.md"], True),
        ({"origins": ["shares"]}, "甲", ["posts:posts/*.md"], False),
        ({"origins": ["shares"]}, "甲", [], False),
        ({"sources": ["甲"], "origins": ["shares"]}, "甲", ["shares"], True),
    ],
)
def test_a_rule_applies_to_its_sources_and_origins(
    rule: dict[str, object], source: str, origins: list[str], applies: bool
) -> None:
    rules = rules_of({**rule, "remove": ["x"], "exclude": {"titles": ["t"]}})
    assert bool(rules.for_text(source, origins)) is applies
    assert (rules.excluded_by(source, origins, [], "T", "") == 1) is applies


@pytest.mark.parametrize(
    ("exclude", "number"),
    [
        ({"words": ["彩票"]}, 2),
        ({"words": ["Lottery"]}, 2),
        ({"words": ["class"]}, None),
        ({"titles": ["彩票"]}, None),
        ({"titles": ["TIT"]}, 2),
        ({"authors": ["jane doe"]}, 2),
        ({"authors": ["Jane"]}, None),
        ({"words": ["x"], "titles": ["y"], "authors": ["JOHN ROE"]}, 2),
    ],
)
def test_one_match_is_enough_to_exclude(exclude: object, number: int | None) -> None:
    rules = rules_of({"remove": ["i"]}, {"exclude": exclude}, {"exclude": {"titles": ["none"]}})
    html = "<p class=x>今日<a href='http://a.example/path'>彩</a><b>票</b>开奖, lottery</p>"
    words = words_of(html, "text/html", BASE)
    assert rules.excluded_by("s", [], ["Jane Doe", "John Roe"], "A title", words) == number


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("A [link](http://a.example/url) and 彩**券**", MARKDOWN, "A link and 彩券"),
        ("<p>奖<b>券</b> one&nbsp;two</p><p>x</p>", "text/html", "奖券 one two x"),
        ("<p>x</p><p style='display:none'>hidden</p>", "text/html", "x"),
    ],
)
def test_words_are_those_that_a_reader_sees(text: str, kind: str, words: str) -> None:
    assert words_of(text, kind, BASE) == words


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a|a)+b", f"<p>{'a' * 56}!</p>"),
        ("（责任编辑：[^）]*）", f"<p>{'（责任编辑：' * 60_000}</p>"),
        ("p", f"<p>{'p' * 100}</p>"),
    ],
)
def test_a_text_that_is_made_for_a_pattern_costs_a_moment(pattern: str, text: str) -> None:
    rule = {"replace": [[pattern, "<div><div><div><div>" if pattern == "p" else ""]]}
    rules = rules_of(rule, {"remove": ["i"]}).for_text("s", [])
    started = time.monotonic()
    found = clean(text, "text/html", BASE, rules)
    assert (found.html, found.changed_by, found.given_up) == (text, (), (1,))
    assert time.monotonic() - started < 10
