"""`aggregator check --feeds`: what a strict validator would say of the files on disk."""

import json
import re

import pytest
from conftest import Site, article, share_url


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("check") / "site")
    site.configure(
        lambda text: (
            text
            + "  formats: [atom, rss, json]\n  entries: 3\n  combined_entries: 4\n  tags: true\n"
            + "  extra: {ports: {words: [港]}}\n"
        )
    )
    for number in range(12):
        code = f"NW20220127{number:010d}"
        site.post(
            f"2022-01-27-{code}.md",
            article(
                f"标题 & <{number}>",
                f"<p>正文{number} <a href='/x'>港</a></p>",
                date=f"2022-01-27 10:{number:02d}:00 +0800",
                share=share_url(code),
            ),
        )
    site.build()
    return site


@pytest.fixture
def copy(published: Site, site: Site) -> Site:
    """The same site, to be spoiled."""
    import shutil

    shutil.rmtree(site.root)
    shutil.copytree(published.root, site.root)
    return site


def problems(site: Site) -> list[tuple[str, str]]:
    result = site.run("check", "--feeds", "--json")
    found = [(problem["path"], problem["reason"]) for problem in result.json["problems"]]
    assert result.code == (1 if found else 0), result.err
    return found


def test_what_is_published_is_without_fault(copy: Site) -> None:
    assert problems(copy) == []
    assert problems(copy) == []
    result = copy.run("check", "--feeds")
    assert result.out.endswith(" files, 0 problems\n")
    extensions = (".atom", ".rss", ".json", ".opml", ".html")
    files = [path for path in copy.feeds.rglob("*") if path.suffix in extensions]
    assert result.out.startswith(f"{len(files)} files")


@pytest.mark.parametrize(
    ("path", "old", "new", "reason"),
    [
        ("all.atom", "</feed>", "", "not well-formed XML"),
        ("all.atom", "</feed>", "</feed>x", "not well-formed XML"),
        ("all.atom", "<id>tag:finews.example.org,2021:feeds/all</id>", "", "feed: no id"),
        ("all.atom", "2022-01-27T10:11:00+08:00", "yesterday", "not a date of RFC 3339"),
        ("all.atom", "2022-01-27T10:11", "2022-02-31T10:11", "is not a real date"),
        ("all.atom", "2022-01-27T10:11", "2099-01-27T10:11", "not a plausible date"),
        ("all.atom", "2022-01-27T10:11", "2022-01-26T10:11", "before that of its newest"),
        (
            "all.atom",
            '<link href="http://news.example.org/',
            '<link href="/',
            "not an absolute URL",
        ),
        ("all.atom", "https://finews.example.org/x", "/x", "in the text is not a full address"),
        ("all.atom", "0000000011</id>", "0000000010</id>", "occurs 2 times"),
        ("all.atom", "<title>标题 &#x26; &#x3C;11&gt;</title>", "", "entry: no title"),
        ("all.atom", 'rel="self"', 'rel="other"', "no link rel=self"),
        ("all.atom", "<author>", "<x>", "not well-formed"),
        ("all.rss", "<pubDate>Thu", "<pubDate>Xyz 99", "not a date of RFC 822"),
        ("all.rss", 'isPermaLink="false"', "", "guid: 'tag:"),
        ("all.rss", 'version="2.0"', 'version="3.0"', "version is not 2.0"),
        ("all.rss", "<description>财经新闻</description>", "", "no description"),
        ("all.json", "]}", "", "not JSON"),
        ("all.json", '"content_html"', '"content"', "neither content_html"),
        ("all.json", "version/1.1", "version/1", "version is not"),
        ("feeds.opml", 'xmlUrl="https:', 'xmlUrl="', "not an absolute URL"),
        ("archives/all.1.atom", 'rel="current"', 'rel="x"', "without a link rel=current"),
    ],
)
def test_problems_are_found(copy: Site, path: str, old: str, new: str, reason: str) -> None:
    file = copy.feeds / path
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    found = problems(copy)
    assert any(place == path and reason in said for place, said in found), found


def test_a_break_in_the_chain_of_archives(copy: Site) -> None:
    (copy.feeds / "archives" / "all.1.atom").unlink()
    found = problems(copy)
    assert ("archives/all.2.atom", "link rel=prev-archive: there is no "
            "https://finews.example.org/feeds/archives/all.1.atom") in found  # fmt: skip


def test_formats_that_differ(copy: Site) -> None:
    path = copy.feeds / "all.json"
    feed = json.loads(path.read_bytes())
    del feed["items"][0]
    path.write_text(json.dumps(feed), "utf-8")
    assert ("all.json", "does not have the entries of all.atom") in problems(copy)


def test_ids_that_changed_since_the_last_check(copy: Site) -> None:
    assert problems(copy) == []
    copy.configure(lambda text: text.replace("example.org,2021", "example.org,2022"))
    copy.build()
    found = problems(copy)
    before = "tag:finews.example.org,2021:"
    assert ("all.atom", f"the feed's id was {before}feeds/all at the last check") in found
    assert any(f"标题 & <11>: its id was {before}" in reason for _, reason in found)
    assert problems(copy) == []


def test_a_sealed_archive_that_changed(copy: Site) -> None:
    assert problems(copy) == []
    path = copy.feeds / "archives" / "all.1.atom"
    path.write_text(path.read_text("utf-8").replace("正文", "更正"), "utf-8")
    reason = "a sealed archive has changed since the last check"
    assert ("archives/all.1.atom", reason) in problems(copy)


def test_a_sealed_archive_may_lose_what_was_withdrawn(copy: Site) -> None:
    assert problems(copy) == []
    path = min(copy.posts.iterdir())
    text = path.read_text("utf-8").replace("layout: post", "published: false")
    path.write_text(text, "utf-8")
    before = (copy.feeds / "archives" / "all.1.atom").read_bytes()
    copy.build()
    document = copy.feeds / "archives" / "all.1.atom"
    assert document.read_bytes() != before
    assert problems(copy) == []
    # One entry less is no excuse for another that was changed.
    text = re.sub("<entry>.*?</entry>", "", document.read_text("utf-8"), count=1, flags=re.DOTALL)
    document.write_text(text.replace("正文", "更正", 1), "utf-8")
    reason = "a sealed archive has changed since the last check"
    assert ("archives/all.1.atom", reason) in problems(copy)


def test_a_feed_that_is_too_large(copy: Site) -> None:
    path = copy.feeds / "all.atom"
    path.write_text(path.read_text("utf-8").replace("正文11", "x" * 11_000_000, 1), "utf-8")
    assert any("11 MB" in reason for _, reason in problems(copy))


def test_nothing_to_check_is_said(site: Site) -> None:
    result = site.run("check", "--feeds")
    assert (result.code, "run aggregator build-feeds first" in result.err) == (1, True)
