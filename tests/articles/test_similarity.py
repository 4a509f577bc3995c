"""Sketches of texts, and what two of them have in common."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.similarity import (
    LONGEST,
    MOST_ARTICLES,
    NO_SKETCH,
    NOTHING,
    is_common,
    shares_of,
    sketch,
    visible,
)

CHARACTERS = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=26)


def chinese(length: int, seed: int) -> str:
    chance = random.Random(seed)
    return "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(length))


def share(one: str, other: str) -> int:
    return shares_of(sketch(one), sketch(other)).shorter


def test_only_what_a_reader_sees_counts() -> None:
    seen = visible("<p class='a'>Ａ股　<b>大</b>涨！</p><script>x()</script>&lt;5&nbsp;%")
    assert seen == "a股大涨5"
    assert visible("[报道](https://example.org/a)，_全文_。") == "报道全文"


def test_mark_up_and_punctuation_change_nothing() -> None:
    text = chinese(300, 1)
    marked = "<p>" + "，</p>\n<p>".join(text[at : at + 20] for at in range(0, 300, 20))
    assert sketch(marked) == sketch(text)


@given(CHARACTERS)
def test_a_text_has_all_of_itself(text: str) -> None:
    made = sketch(text)
    assert sketch(text) == made
    if len(made.hashes) >= 4:
        assert shares_of(made, made) == (100, 100)


@given(st.text(), st.text())
def test_any_two_texts_have_a_share_that_does_not_depend_on_their_order(
    one: str, other: str
) -> None:
    assert 0 <= share(one, other) == share(other, one) <= 100


@pytest.mark.parametrize("length", [600, 2_000, 10_000])
def test_copies_are_found_at_any_length(length: int) -> None:
    text, chance = chinese(length, 1), random.Random(2)
    changed = "".join(chinese(1, at) if chance.random() < 0.1 else c for at, c in enumerate(text))
    pieces = [text[at : at + length // 5] for at in range(0, length, length // 5)]
    assert share(text, changed) > 30
    assert share(text, text[: length * 2 // 5]) > 90
    assert share(text, text[: length // 2] + chinese(length // 2, 3)) > 30
    assert share(text, "".join(reversed(pieces))) > 70
    assert share(text, chinese(length, 4)) == 0


@pytest.mark.parametrize("length", [24, 40, 1_000, 30_000])
def test_a_sketch_is_as_large_as_it_must_be(length: int) -> None:
    made = sketch(chinese(length, 5))
    assert len(made.hashes) <= 128 + length // 16
    assert bool(made.hashes) == (length > 24)
    assert all(made.at(2 * rate) <= made.at(rate) for rate in (1, 2, 4, 8, 16))


def test_flash_news_needs_half_of_its_text_in_common() -> None:
    words = "【快讯】某某公司今日公告拟以不超过三亿元回购股份价格不高于每股十元用于员工持股计划"
    assert share(words, words.replace("【快讯】", "（记者张三）")) > 50
    other = (
        words.replace("某某公司", "另一家厂").replace("三亿元", "九千万元").replace("十元", "八元")
    )
    assert share(words, other[:20] + chinese(20, 6)) == 0


def test_a_few_words_are_no_story() -> None:
    assert sketch("<p>详情请见公司公告原文。</p>") == NO_SKETCH
    assert shares_of(NO_SKETCH, NO_SKETCH) == NOTHING


def test_common_runs_do_not_count() -> None:
    notice = chinese(400, 7)
    one, other = sketch(notice + chinese(400, 8)), sketch(notice + chinese(400, 9))
    assert shares_of(one, other).shorter > 30
    common = frozenset(sketch(notice).hashes) | set(one.hashes)
    assert shares_of(one, other, common) == NOTHING


def test_a_story_of_many_outlets_is_not_common_and_a_form_is() -> None:
    assert not is_common(20, 20)
    assert not is_common(200, 200)
    assert not is_common(40, 20)
    assert not is_common(2, 1)
    assert is_common(100, 50)
    assert is_common(7, 2)
    assert is_common(MOST_ARTICLES + 1, MOST_ARTICLES + 1)


@pytest.mark.parametrize("piece", ["<", "<!--", "<script>", "](", "&#", "a" * 50 + "<", "\ud800"])
def test_hostile_texts_are_quick(piece: str) -> None:
    """Whatever is longer is cut: see `LONGEST`; nothing takes more than its length."""
    text = piece * (200_000 // len(piece))
    assert sketch(text) == sketch(text[:LONGEST])
