"""aggregator search, as people and scripts meet it."""

import datetime

import pytest
from conftest import Site, article, share_url

CODES = [f"NW20220127222{number:07d}" for number in range(4)]


@pytest.fixture
def searched(site: Site) -> Site:
    posts = [
        ("港口扩建", "<p>Interest rate 上调。</p>", "chenbao", "晨报"),
        ("机场", "<p>Rate of interest 下调，港口。</p>", "wanbao", "晚报"),
        ("铁路", "<p>正文 &lt;b&gt;。</p>", "chenbao", "晨报"),
    ]
    for number, (title, text, source, name) in enumerate(posts):
        date, share = f"2022-01-2{number} 10:00:00 +0800", share_url(CODES[number])
        written = article(title, text, date=date, source=source, name=name, share=share)
        site.post(f"2022-01-2{number}-{CODES[number]}.md", written)
    site.build()
    return site


def titles(site: Site, *arguments: str) -> list[str]:
    result = site.run("search", "--json", *arguments)
    assert result.code == 0, result.err
    return [found["title"] for found in result.json]


def test_words_phrases_and_exclusions(searched: Site) -> None:
    assert titles(searched, "港口") == ["机场", "港口扩建"]
    assert titles(searched, "rate", "interest") == ["机场", "港口扩建"]
    assert titles(searched, '"interest rate"') == ["港口扩建"]
    assert titles(searched, "港口", "-机场") == ["港口扩建"]
    assert titles(searched, "港口", "-history", "-vote", "-下调") == ["港口扩建"]
    assert titles(searched, "晨报") == ["铁路", "港口扩建"]
    assert titles(searched, "<b>") == ["铁路"]
    assert titles(searched, "<p>") == []


def test_options(searched: Site) -> None:
    assert titles(searched, "港口", "--source", "wanbao") == ["机场"]
    assert titles(searched, "报", "--since", "2022-01-21") == ["铁路", "机场"]
    assert titles(searched, "报", "--since", "1h") == []
    assert titles(searched, "报", "--limit", "1") == ["铁路"]


def test_lines_for_people_and_values_for_scripts(searched: Site) -> None:
    lines = searched.run("search", "扩建").out.splitlines()
    assert lines[0].split("\t") == ["published", "source", "title", "code"]
    assert lines[1].split("\t")[1:] == ["晨报", "港口扩建", CODES[0]]
    assert searched.run("search", "没有").out == "no article matches\n"
    assert searched.run("search", "扩建", "--json").json == [
        {
            "code": CODES[0],
            "title": "港口扩建",
            "source": "chenbao",
            "source_name": "晨报",
            "published": "2022-01-20T02:00:00Z",
            "url": share_url(CODES[0]),
        }
    ]


def test_a_scheduled_article_is_found_when_it_is_due(searched: Site) -> None:
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    searched.post("later.md", article("港口", date=f"{later:%Y-%m-%d %H:%M:%S} +0000"))
    searched.build()
    assert titles(searched, "港口") == ["机场", "港口扩建"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-a"], "only words that exclude"),
        ([" "], "the query has no words"),
        (["x" * 201], "200 characters"),
        (["a", "--source", "wanba"], "did you mean wanbao?"),
        (["a", "--since", "soon"], "write a date like 2022-01-27, or a duration like 48h"),
        ([], "Missing argument"),
    ],
)
def test_a_search_that_means_nothing_ends_with_2(
    searched: Site, arguments: list[str], complaint: str
) -> None:
    result = searched.run("search", *arguments)
    assert result.code == 2
    assert complaint in result.err


@pytest.mark.parametrize("query", ["\x01", "a\udc80", '"', "NEAR(", "*", "a" * 200, "\ufdd0"])
def test_hostile_words(searched: Site, query: str) -> None:
    result = searched.run("search", "--", query)
    assert result.code in (0, 2)
    assert "Traceback" not in result.err
