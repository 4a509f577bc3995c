"""What `check --feeds` finds wrong with a page."""

import pytest
from one_feed import NOW, document

from aggregator.publish import html as html_format
from aggregator.publish.validate import validate

PAGE = html_format.render(document(urls={"html": "https://a.example/feeds/all.html"})).decode()


def problems(page: str) -> list[str]:
    return [reason for _, reason in validate(page.encode(), ".html", NOW).problems]


def test_a_page_of_ours_is_without_fault() -> None:
    report = validate(PAGE.encode(), ".html", NOW)
    assert report.problems == []
    assert report.entries == [("https://a.example/1\n标题", "tag:a.example,2021:1")]
    assert report.feed_id == "https://a.example/feeds/all.html"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<title>财经</title>", "", "no title"),
        ("default-src &#39;none&#39;", "default-src *", "no Content-Security-Policy"),
        ("<main>", "<main><script>alert(1)</script>", "a script in the page"),
        ('class="u-uid" value="tag:a.example,2021:1"', "", "an entry has no id"),
        ("<p>正文</p>", '<p onclick="x()">正文</p>', "onclick"),
        ("<p>正文</p>", '<p><a href="javascript:x()">正文</a></p>', "runs as a script"),
    ],
)
def test_faults_are_found(old: str, new: str, reason: str) -> None:
    assert old in PAGE
    (found,) = problems(PAGE.replace(old, new))
    assert reason in found


def test_what_is_no_page() -> None:
    assert "not HTML in UTF-8" in problems("")[0]
    report = validate(b"\xff\xfe", ".html", NOW)
    assert "not HTML in UTF-8" in report.problems[0][1]
