"""What errors say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model.errors import (
    ConfigError,
    FetchError,
    PostponedError,
    UnusableError,
    masked,
    unforeseen,
)


@given(st.text("abc:%@.", min_size=1, max_size=12).filter(lambda name: "@" not in name))
def test_no_password_is_shown(secret: str) -> None:
    url = f"https://u:{secret}!@a.example/x?y=u:{secret}@z"
    assert masked(url) == f"https://…@a.example/x?y=u:{secret}@z"
    assert secret + "!" not in str(FetchError(url, "cut off"))


@pytest.mark.parametrize("url", ["https://a.example/@x", "https://a.example?x=y@z", "x@y", ""])
def test_a_url_without_one_stays(url: str) -> None:
    assert masked(url) == url


def test_an_unforeseen_error_is_one_line_with_its_class() -> None:
    assert unforeseen(KeyError("a\nb")) == "KeyError: 'a\\nb'"
    assert unforeseen(ValueError("a\n  b")) == "ValueError: a b"
    assert unforeseen(ValueError()) == "ValueError"
    assert len(unforeseen(ValueError("x" * 999))) < 230


def test_what_errors_know() -> None:
    assert str(ConfigError("a", "b")) == "a\nb"
    assert ConfigError("a", "b").problems == ("a", "b")
    postponed = PostponedError("http://a.example/", "later", 5.0)
    assert (postponed.was_sent, postponed.was_answered, postponed.wait) == (False, False, 5.0)
    assert (UnusableError("x", 3).reason, UnusableError("x", 3).line) == ("x", 3)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:secret@db.example.org/feeds",
        "postgresql://ann:sec/ret@db.example.org/feeds",
        "postgresql://ann:p@ss/secret@db.example.org/feeds",
        "postgresql://db.example.org/feeds?user=ann&password=secret&sslmode=require",
        'connection to "postgres://ann:secret@db.example.org/feeds" failed',
    ],
)
def test_the_password_of_a_database_is_never_shown(url: str) -> None:
    shown = masked(url)
    assert "sec" not in shown
    assert "ret" not in shown
    assert "ss/" not in shown
    assert "db.example.org/feeds" in shown
