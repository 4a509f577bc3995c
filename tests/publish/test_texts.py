"""The language of the page and of notices."""

from dataclasses import astuple

import pytest

from aggregator.publish.texts import words


@pytest.mark.parametrize(
    ("language", "sources"),
    [("zh", "来源"), ("zh-CN", "来源"), ("ZH-hant", "来源"), ("en", "Sources"), ("de", "Sources"),
     ("zhx", "Sources")],
)  # fmt: skip
def test_any_chinese_is_chinese_and_all_else_english(language: str, sources: str) -> None:
    assert words(language).sources == sources


def test_both_languages_have_numbers_in_the_same_places() -> None:
    chinese, english = astuple(words("zh")), astuple(words("en"))
    assert all((*chinese, *english))
    shown = [[text(7) if callable(text) else text for text in one] for one in (chinese, english)]
    for own, other in zip(*shown, strict=True):
        assert (own.count("{}"), own.count("7")) == (other.count("{}"), other.count("7"))


def test_one_article_is_one_article() -> None:
    assert words("en").articles(1) == "1 article"
    assert words("en").days(1200) == "1,200 articles in the last 30 days"
