"""The summary of a text: its first words."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.sanitize import sanitize
from aggregator.articles.summary import LENGTH, summary_of


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Ein <b>W</b>ort</p><p>und noch eins</p>", "Ein Wort und noch eins"),
        (
            "<p>涨<strong>百分之八</strong>，收于 5 &lt; 6 &amp; 7。</p>",
            "涨百分之八，收于 5 < 6 & 7。",
        ),
        ('<img src="https://e.example/a.jpg" alt="Bild">', ""),
        ("", ""),
    ],
)
def test_a_short_text_is_its_own_summary(html: str, expected: str) -> None:
    assert summary_of(html) == expected


@pytest.mark.parametrize(
    "html",
    [
        "<p>" + "长" * 5000 + "</p>",
        "<p>" + "Wort " * 5000 + "</p>",
        f'<a href="https://e.example/{"x" * 4000}">' + "长" * 300 + "</a>",
        "<br>" * 5000 + "长" * 300,
        "&amp;" * 5000,
        "<p>" + "长" * 190 + f'<a title="{"w " * 500}">x</a>' + "长" * 99 + "</p>",
        "<p>" + "长" * 199 + "<i></i>" * 27 + "&amp;" + "长" * 99 + "</p>",
    ],
)
def test_a_long_text_ends_with_an_ellipsis(html: str) -> None:
    found = summary_of(html)
    assert found.endswith("…")
    assert LENGTH - 5 <= len(found) <= LENGTH + 1
    assert "<" not in found
    assert "href" not in found
    assert "title" not in found


@given(st.text(alphabet="ab <>&;长\n\"'=/p", max_size=3000))
def test_the_summary_is_the_beginning_of_all_words(text: str) -> None:
    html = sanitize(text, "text/html", "https://e.example/")
    found = summary_of(html)
    assert len(found) <= LENGTH + 1
    assert found.endswith("…") or len(found) <= LENGTH


def test_a_text_of_tags_alone_takes_no_time() -> None:
    start = time.perf_counter()
    assert summary_of("<br>" * 200_000) == ""
    assert summary_of("<" * 200_000)
    assert time.perf_counter() - start < 2
