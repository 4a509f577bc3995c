"""What is wrong with feeds in XML, and with the list of feeds."""

from collections.abc import Callable

import pytest
from one_feed import NOW, document, entry

from aggregator.publish import atom, rss
from aggregator.publish.validate.report import Report
from aggregator.publish.validate.xml import check_atom, check_opml, check_rss

ATOM, RSS = atom.render(document()).decode(), rss.render(document()).decode()
OPML = (
    '<opml version="2.0"><head/><body><outline text="a" type="rss" '
    'xmlUrl="https://a.example/x"/></body></opml>'
)


def reasons(check: Callable[[bytes, Report], None], text: str) -> list[str]:
    report = Report(NOW)
    check(text.encode(), report)
    return [reason for _, reason in report.problems]


def test_what_aggregator_writes_is_without_fault() -> None:
    assert reasons(check_atom, ATOM) == []
    assert reasons(check_rss, RSS) == []
    assert reasons(check_opml, OPML) == []
    report = Report(NOW)
    check_atom(ATOM.encode(), report)
    assert report.feed_id == "tag:a.example,2021:feeds/all"
    assert report.entries == [("https://a.example/1\n标题", "tag:a.example,2021:1")]
    assert not report.is_sealed


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("</feed>", "", "not well-formed XML"),
        ("<feed", "<feet", "not well-formed XML"),
        ("<id>tag:a.example,2021:feeds/all</id>", "", "feed: no id"),
        ("<title>标题</title>", "<title/>", "entry: title is empty"),
        ("<title>标题</title>", "<title>a</title><title>b</title>", "entry: more than one title"),
        ('rel="self"', 'rel="other"', "feed: no link rel=self"),
        ('href="https://a.example/1"', 'href="/1"', "is not an absolute URL"),
        ("<updated>2022-01-27T23", "<updated>2022-01-26T23", "before that of its newest entry"),
        ("<published>2022-01-27T22", "<published>2022-13-27T22", "is not a real date"),
        ("&lt;p&gt;", "&lt;script&gt;", "<script> in the text"),
        ('rel="via"', 'rel="alternate"', "two links rel=alternate of the same type"),
        ('<content type="html">', '<content>x</content><content type="html">', "more than one"),
    ],
)
def test_faults_of_atom(old: str, new: str, reason: str) -> None:
    assert old in ATOM
    assert any(reason in found for found in reasons(check_atom, ATOM.replace(old, new, 1)))


def test_an_id_that_stands_twice_and_another_root() -> None:
    twice = atom.render(document(entry(), entry())).decode()
    assert reasons(check_atom, twice) == ["the id tag:a.example,2021:1 occurs 2 times"]
    (reason,) = reasons(check_atom, RSS)
    assert reason.startswith("the root is rss, not ")


def test_no_entity_is_read_from_a_file() -> None:
    text = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + RSS[RSS.index("<rss") :]
    report = Report(NOW)
    check_rss(text.replace("标题", "&x;").encode(), report)
    assert "root:" not in str(report)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('version="2.0"', 'version="0.9"', "version is not 2.0"),
        ("<channel>", "<chanel>", "not well-formed"),
        ("<title>财经</title>", "", "channel: no title"),
        (
            "<title>标题</title>",
            "<title>&lt;b&gt;</title>",
            "would be treated as markup by many readers",
        ),
        ('isPermaLink="false"', "", "guid: "),
        ("Thu, 27 Jan 2022 22:00:00 +0800</pubDate>", "gestern</pubDate>", "not a date of RFC 822"),
        ('length="12"', "", "enclosure: needs length and type"),
        ("<guid", "<enclosure url='x' length='1' type='x'/><guid", "more than one enclosure"),
        ('rel="self"', 'rel="other"', "channel: no atom:link rel=self"),
    ],
)
def test_faults_of_rss(old: str, new: str, reason: str) -> None:
    assert old in RSS
    assert any(reason in found for found in reasons(check_rss, RSS.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('version="2.0"', "", "opml: version is not 2.0"),
        ("<head/>", "", "opml: needs one head"),
        ('text="a"', "", "outline: no text"),
        ('text="a"', 'text="&lt;b>"', "text: <b> would be treated as markup"),
        ("https://a.example/x", "/x", "xmlUrl: "),
    ],
)
def test_faults_of_opml(old: str, new: str, reason: str) -> None:
    assert any(reason in found for found in reasons(check_opml, OPML.replace(old, new, 1)))
