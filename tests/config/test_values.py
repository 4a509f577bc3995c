"""The plain values of config.yaml, and what is said of wrong ones."""

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from aggregator.config import values


def read(kind: str, value: object) -> Any:
    return TypeAdapter(getattr(values, kind)).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("Duration", "0s", datetime.timedelta(0)),
        ("Interval", "1.5h", datetime.timedelta(minutes=90)),
        ("Interval", " 300 ms ", datetime.timedelta(seconds=0.3)),
        ("ByteSize", "5MB", 5_000_000),
        ("ByteSize", "0.5 kib", 500),
        ("FolderUrl", "https://a.example/x", "https://a.example/x/"),
        ("FolderUrl", "https://a.example/", "https://a.example/"),
        ("Tag", "a.example,2021-02-28", "a.example,2021-02-28"),
        ("Tag", "me@a.example,2021", "me@a.example,2021"),
        ("TimeZone", "Asia/Shanghai", "Asia/Shanghai"),
        ("Language", "zh-Hant-TW", "zh-Hant-TW"),
        ("FeedName", "a-1", "a-1"),
        ("FormatName", "rss", "rss"),
        ("ShareTemplate", "{origin}/x?{code}&{url}", "{origin}/x?{code}&{url}"),
        ("Permalink", "{url}{date:%Y}/{slug}.html", "{url}{date:%Y}/{slug}.html"),
        ("CodedPattern", r"x(?P<code>\d+)", r"x(?P<code>\d+)"),
    ],
)
def test_what_is_accepted(kind: str, value: str, found: object) -> None:
    assert read(kind, value) == found


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("Duration", "5 minutes", "write a duration like 30s, 5m or 48h"),
        ("Duration", "9" * 30 + "d", "is too long"),
        ("Interval", "0s", "must be longer than 0 s"),
        ("ByteSize", "5", "write a size like 500kB or 5MB"),
        ("ByteSize", "9" * 400 + "GB", "is too large"),
        ("ByteSize", "0B", "greater than 0"),
        ("WebUrl", "a.example", "must be a full URL"),
        ("WebUrl", "https:///x", "must be a full URL"),
        ("Tag", "a.example", "must be a domain and a year"),
        ("Tag", "a.example,2021-02-30", "there is no such date as 2021-02-30"),
        ("Tag", "a.example,9999", "9999 is in the future"),
        ("TimeZone", "Shanghai", "no such time zone"),
        ("TimeZone", "../x", "no such time zone"),
        ("Language", "chinesisch!", "write a language like"),
        ("FeedName", "a--b", "must consist of a to z"),
        ("FeedName", "a" * 61, "must consist of a to z"),
        ("FormatName", "pdf", "must be 'atom', 'rss', 'json' or 'html'"),
        ("Pattern", "(", "not a regular expression"),
        ("CodedPattern", "x", "needs a group named code"),
        ("ShareTemplate", "{0}", "may use {url}"),
        ("ShareTemplate", "{", "not a URL template"),
        ("ShareOfCode", "{url}", "may use {origin} and {code} only"),
        ("HeaderText", "a\nb", "must be printable ASCII text"),
        ("HeaderText", " ", "must be printable ASCII text"),
        ("Permalink", "{x}", "may use {url}"),
        ("Permalink", "{date.x}", "may use {url}"),
        ("PathText", "", "must be a path"),
        ("Title", " ", "must not be empty"),
        ("Networks", ["127.0.0.1/8"], "must be an IP network such as 10.1.0.0/16"),
    ],
)
def test_what_is_refused_says_why(kind: str, value: str, reason: str) -> None:
    with pytest.raises(ValidationError) as raised:
        read(kind, value)
    assert reason in raised.value.errors()[0]["msg"]


@given(st.integers(1, 10**6), st.sampled_from([("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]))
def test_any_number_of_a_unit(number: int, unit: tuple[str, float]) -> None:
    name, seconds = unit
    assert read("Interval", f"{number}{name}") == datetime.timedelta(seconds=number * seconds)


@pytest.mark.parametrize(
    ("tag", "is_reserved"),
    [("example.org,2021", True), ("news.EXAMPLE.com.,2021", True), ("x.test,2021", True),
     ("me@example.net,2021", True), ("example.org.cn,2021", False), ("myexample.org,2021", False)],
)  # fmt: skip
def test_domains_for_examples_are_nobodys(tag: str, is_reserved: bool) -> None:
    assert values.is_reserved(tag) is is_reserved


def test_expressions_are_checked_before_they_are_used() -> None:
    values.check_jmespath("a || b[0]", "title")
    values.check_jmespath(None, "title")
    with pytest.raises(ValueError, match="title is not a JMESPath expression"):
        values.check_jmespath("a[", "title")
