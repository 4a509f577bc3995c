"""What a correction changed, as people read it."""

import time

from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.differences import MAX_SHOWN, differences

words = st.lists(st.sampled_from(["市场", "eins", " ", "。", "7", "<", "&amp;"]), max_size=8)
texts = st.lists(words.map("".join), max_size=6).map(
    lambda parts: "".join(f"<p>{part}</p>" for part in parts)
)


def test_only_the_paragraphs_that_differ_are_shown() -> None:
    old = "<p>一样。</p><p>价格是五元。</p><p>The old word</p><ul><li>删去</li></ul>"
    new = "<p>一样。</p><p>价格是七元。</p><p>The new word</p>"
    paragraphs, is_cut = differences(old, new)
    assert paragraphs == (
        (("same", "价格是"), ("removed", "五"), ("added", "七"), ("same", "元。")),
        (("same", "The "), ("removed", "old"), ("added", "new"), ("same", " word")),
        (("removed", "删去"),),
    )
    assert not is_cut


@given(texts, texts)
def test_both_texts_can_be_read_from_it(old: str, new: str) -> None:
    paragraphs, _ = differences(old, new)

    def side(kinds: tuple[str, ...]) -> list[str]:
        found = ("".join(text for kind, text in one if kind in kinds) for one in paragraphs)
        return [text for text in found if text]

    kept_old, kept_new = side(("same", "removed")), side(("same", "added"))
    whole_old = [one[0].text for one in differences(old, "")[0]]
    assert all(text in whole_old for text in kept_old)
    whole_new = [one[0].text for one in differences("", new)[0]]
    assert all(text in whole_new for text in kept_new)


@given(texts)
def test_the_same_text_does_not_differ(text: str) -> None:
    assert differences(text, text) == ((), False)


def test_hostile_texts_take_little_time() -> None:
    started = time.process_time()
    for old, new in (
        ("<p>a</p>" * 50_000, "<p>b</p>" * 50_000),
        ("<p>" + "ab" * 500_000, "<p>" + "ba" * 500_000),
        ("".join(f"<p>{n}a" * 2 for n in range(400)), "".join(f"<p>{n}b" * 2 for n in range(400))),
        ("<p>" + "甲乙" * 1_499, "<p>" + "乙丙" * 1_499),
        ("<p>" + "甲。乙。" * 1_499, "<p>" + "乙。丙。" * 1_499),
        (("<p>" + "甲乙" * 45 + "。") * 400, ("<p>" + "乙丙" * 45 + "。") * 399),
        ("<p>甲<p>乙" * 400, "<p>乙<p>丙" * 400),
    ):
        paragraphs, _ = differences(old, new)
        assert len(paragraphs) <= MAX_SHOWN
    assert time.process_time() - started < 10
