"""The checks that formats have in common."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_feed import NOW

from aggregator.articles import sanitize
from aggregator.publish.validate.report import Report


def reasons(report: Report) -> list[str]:
    return [reason for _, reason in report.problems]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2022-01-27T22:00:00+08:00", None),
        ("2022-01-27t22:00:00.5z", None),
        ("2022-01-27 22:00:00Z", "not a date of RFC 3339"),
        ("2022-01-27T22:00:00", "not a date of RFC 3339"),
        ("2022-02-31T22:00:00Z", "is not a real date"),
        ("1989-12-31T22:00:00Z", "is not a plausible date"),
        ("2022-02-27T22:00:00Z", "is not a plausible date"),
    ],
)
def test_dates(text: str, reason: str | None) -> None:
    report = Report(NOW)
    report.check_timestamp(7, "updated", text)
    assert [line for line, _ in report.problems] == ([] if reason is None else [7])
    assert reason is None or reason in reasons(report)[0]


@given(st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2022, 1, 1)))
def test_a_date_that_python_writes_is_fine(moment: datetime.datetime) -> None:
    report = Report(NOW)
    moment = moment.replace(tzinfo=datetime.UTC)
    assert report.check_timestamp(None, "x", moment.isoformat()) == moment
    assert report.problems == []


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://a.example/x", True),
        ("/x", False),
        ("ftp://a.example/", False),
        ("http:///x", False),
        ("http://a.example/a b", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_addresses(url: str, is_fine: bool) -> None:
    report = Report(NOW)
    report.check_address(None, "link", url)
    assert (report.problems == []) is is_fine


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<a href='/x'>", "not a full address"),
        ("<a href='java&#9;script:x'>", "runs as a script"),
        ("<IFRAME src='https://a.example/'>", "<iframe> in the text"),
        ("<p title='>' onclick=x>", "has onclick"),
    ],
)
def test_html_that_runs_or_leads_nowhere(html: str, reason: str) -> None:
    report = Report(NOW)
    report.check_html(None, "content", html)
    assert any(reason in found for found in reasons(report))


@given(
    st.lists(
        st.sampled_from(["<p onclick=x>", "<a href=/x>", "<script>", "x", "</p>", "<img src=y>"])
    )
)
def test_what_was_cleaned_is_fine(pieces: list[str]) -> None:
    report = Report(NOW)
    report.check_html(
        None, "x", sanitize.sanitize("".join(pieces), sanitize.HTML, "https://a.example/")
    )
    assert report.problems == []


def test_texts_and_ids() -> None:
    report = Report(NOW)
    report.check_text(3, "title", "1 < 2 & 3")
    report.entries += [("a", "1"), ("b", "2"), ("c", "1")]
    report.check_unique("the id")
    report.check_text(3, "title", "a <b>")
    assert reasons(report) == [
        "the id 1 occurs 2 times",
        "title: <b> would be treated as markup by many readers",
    ]
