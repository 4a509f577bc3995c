"""Content rules, from config.yaml to feeds, archives and status."""

import sqlite3
from contextlib import closing

import pytest
from conftest import Site, article
from upstream import Upstream

AD = "<p class='ad'>广告</p>"


def with_rules(site: Site, *rules: str) -> None:
    lines = "".join(f"  - {rule}\n" for rule in rules)
    site.configure(lambda text: text.partition("rules:\n")[0] + (f"rules:\n{lines}" * bool(rules)))


def titles(site: Site, path: str = "all.atom") -> list[str]:
    return [entry.title for entry in site.entries(path)]


def counts(site: Site) -> list[tuple[int, int]]:
    found = site.run("status", "--json").json["rules"]
    return [(rule["texts_changed"], rule["articles_excluded"]) for rule in found]


@pytest.fixture
def posts(site: Site) -> Site:
    site.configure(lambda text: text.replace("feeds:\n", "feeds:\n  entries: 2\n"))
    for number in range(1, 7):
        site.post(
            f"2022-01-0{number}-a.md",
            article(
                f"标题{number}",
                f"正文{number}。\n\n<p class='ad'>广告</p>",
                date=f"2022-01-0{number}",
            ),
        )
    return site


def test_what_a_rule_excludes_leaves_feeds_and_archives_and_comes_back(posts: Site) -> None:
    posts.build()
    with_rules(posts, "{exclude: {titles: ['标题1', '标题6']}}", "{exclude: {words: ['正文5']}}")
    posts.build()
    assert titles(posts) == ["标题4", "标题3", "标题2"]
    assert counts(posts) == [(0, 2), (0, 1)]
    assert "rule 1: 0 texts changed, 2 articles excluded" in posts.run("status").out
    everything = b"".join(posts.feed_bytes().values()).decode()
    for number in (1, 5, 6):
        assert f"标题{number}" not in everything
    assert "excluded by rule 1" in posts.run("show", article_code(posts, "标题6")).out
    assert posts.run("check", "--feeds").code == 0
    with_rules(posts)
    posts.build()
    assert set(titles(posts)) == {f"标题{number}" for number in range(1, 7)}
    assert posts.run("check", "--feeds").code == 0


def test_an_excluded_article_that_is_corrected_is_examined_again(posts: Site) -> None:
    with_rules(posts, "{exclude: {words: ['正文3']}}")
    posts.build()
    assert "标题3" not in titles(posts)
    posts.post("2022-01-03-a.md", article("标题3", "别的。", date="2022-01-03"))
    posts.build()
    assert "标题3" in titles(posts)
    posts.post("2022-01-04-a.md", article("标题4", "正文3。", date="2022-01-04"))
    posts.build()
    assert "标题4" not in titles(posts)
    assert counts(posts) == [(0, 1)]


def test_authors_are_those_that_feeds_show(posts: Site) -> None:
    posts.configure(
        lambda text: (
            text.replace("site:\n", "site:\n  author: Ann\n", 1)
            + "sources: {a: {name: Abendblatt}}\n"
        )
    )
    posts.post("2022-02-01-x.md", article("Eins", extra="author: [Bob, Ann]"))
    posts.post("2022-02-02-x.md", "---\ntitle: Zwei\n---\nText")
    posts.post("2022-02-03-x.md", "---\ntitle: Drei\ncategories: a\n---\nText")
    for name, number in (("Abendblatt", 1), ("bob", 1), ("Ann", 2), ("Bob, Ann", 1)):
        with_rules(posts, f"{{exclude: {{authors: ['{name}']}}}}")
        posts.build()
        assert counts(posts) == [(0, number)], name


def test_a_source_without_an_article_that_is_shown_gets_no_feed(posts: Site) -> None:
    with_rules(posts, "{exclude: {words: ['正文']}}")
    posts.build("--allow-empty")
    assert [path.name for path in posts.feeds.rglob("*.atom")] == ["all.atom"]


def test_texts_are_changed_in_feeds_and_a_part_that_is_removed_is_no_correction(
    posts: Site,
) -> None:
    with_rules(posts, "{remove: ['.ad'], replace: [['正文(\\d)', '第\\1段']]}")
    posts.build()
    entry = posts.entries()[0]
    assert "广告" not in entry.content[0].value
    assert "第6段" in entry.content[0].value
    assert counts(posts) == [(6, 0)]
    text = "正文6。\n\n<p class='ad'>另一个广告</p>"
    posts.post("2022-01-06-a.md", article("标题6", text, date="2022-01-06"))
    result = posts.build()
    assert posts.entries()[0].updated == entry.updated, result.out


def test_a_text_that_several_feeds_show_is_changed_in_all_of_them(posts: Site) -> None:
    posts.configure(
        lambda text: text.replace("  entries: 2\n", "  entries: 2\n  extra: {x: {words: [正文]}}\n")
    )
    with_rules(posts, "{remove: ['.ad']}")
    posts.build()
    assert counts(posts) == [(6, 0)]
    assert not any("广告" in feed.decode() for feed in posts.feed_bytes().values())


def test_an_article_that_gets_a_copy_from_another_origin_is_examined_again(
    posts: Site, upstream: Upstream
) -> None:
    code = "NW202201060000000001"
    link = f"http://a.example/html_News/NewsShare.html?infoCode={code}"
    posts.post(f"2022-01-06-{code[2:]}.md", article("标题7", f"正文7。{AD}", date="2022-01-06"))
    feed = (
        "<rss version='2.0'><channel><title>甲报</title><item><title>标题7</title>"
        f"<link>{link}</link><description>文</description></item></channel></rss>"
    )
    url = upstream.document("/feed", feed, "application/rss+xml")
    posts.configure(
        lambda text: (
            f"{text}fetch: {{allow_private_addresses: true}}\n"
            f"subscriptions:\n  - {{url: '{url}'}}\n"
        )
    )
    with_rules(
        posts,
        "{origins: [subscriptions], remove: ['.ad']}",
        "{origins: [subscriptions], exclude: {words: [第七]}}",
    )
    posts.build()
    assert counts(posts) == [(0, 0), (0, 0)]
    posts.run("poll", "--only", "subscriptions")
    posts.build()
    assert counts(posts) == [(1, 0), (0, 0)]
    with_rules(posts, "{origins: [subscriptions], exclude: {words: [正文7]}}")
    posts.build()
    assert (counts(posts), "标题7" in titles(posts)) == ([(0, 1)], False)
    posts.configure(lambda text: text.replace(f"subscriptions:\n  - {{url: '{url}'}}\n", ""))
    posts.build()
    assert (counts(posts), "标题7" in titles(posts)) == ([(0, 0)], True)


def test_a_rule_that_is_too_slow_for_a_text_is_told(posts: Site) -> None:
    posts.post("2022-01-07-a.md", article("标题7", f"{'a' * 56}!", date="2022-01-07"))
    with_rules(posts, "{replace: [['(a|a)+b', '']]}")
    result = posts.build()
    assert "rule 1 takes too long for this text, which is shown without it" in result.err
    assert titles(posts)[0] == "标题7"


def test_rules_of_other_sources_and_origins_do_not_apply(posts: Site) -> None:
    with_rules(
        posts,
        "{sources: [elsewhere], remove: ['.ad']}",
        "{origins: [subscriptions], remove: ['.ad'], exclude: {words: ['正文']}}",
        "{origins: [posts], remove: ['.ad']}",
    )
    posts.build()
    assert counts(posts) == [(0, 0), (0, 0), (6, 0)]


def article_code(site: Site, title: str) -> str:
    with closing(sqlite3.connect(site.root / "var" / "aggregator.db")) as store, store:
        (code,) = store.execute("SELECT code FROM article WHERE title = ?", (title,)).fetchone()
    return str(code)
