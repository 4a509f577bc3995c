"""Which codings, media type and range a request is for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.serve.http_conditions import accepted_codings, byte_range, is_browser


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", ()),
        ("gzip", ("gzip",)),
        ("gzip, BR", ("br", "gzip")),
        ("gzip;q=0, *", ("br",)),
        ("*;q=0", ()),
        ("*", ("br", "gzip")),
        ("gzip;q=0.000, br; q=0.001", ("br",)),
        ("identity, deflate", ()),
    ],
)
def test_codings(header: str, codings: tuple[str, ...]) -> None:
    assert accepted_codings(header) == codings


@given(st.text(max_size=40))
def test_any_header_is_for_known_codings(header: str) -> None:
    assert set(accepted_codings(header)) <= {"br", "gzip"}


@pytest.mark.parametrize(
    ("accept", "is_one"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("application/atom+xml, text/html;q=0.5", False),
        ("application/rss+xml,text/html", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_browsers(accept: str, is_one: bool) -> None:
    assert is_browser(accept) is is_one


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", (0, 9)),
        ("bytes=90-", (90, 99)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-5", (95, 99)),
        ("bytes=-500", (0, 99)),
        (" bytes=0-0 ", (0, 0)),
        ("bytes=9-0", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_ranges_of_a_hundred_bytes(header: str, part: tuple[int, int] | None) -> None:
    assert byte_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_a_range_that_is_outside(header: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        byte_range(header, 100)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 100))
def test_a_range_is_within_the_file(first: int, last: int, size: int) -> None:
    try:
        found = byte_range(f"bytes={first}-{last}", size)
    except ValueError:
        assert first >= size
        return
    assert found == ((first, min(last, size - 1)) if first <= last else None)
