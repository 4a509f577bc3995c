"""config.yaml: everything of its contract is accepted, and every error is located."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CONFIG, Site, article

from aggregator.config.schema import Schedule, Settings
from aggregator.model.kinds import ORIGIN_KINDS


@pytest.fixture
def site(site: Site) -> Site:
    """A site with the smallest configuration."""
    site.config.write_text(CONFIG, encoding="utf-8")
    return site


CONTRACT = r"""
site:
  title: 财经新闻
  url: https://finews.example.org/
  language: zh-CN
  timezone: Asia/Shanghai
  author: 财经新闻
  tag: finews.example.org,2021          # authority and date of every entry id
  permalink: null                       # e.g. "{url}{source}/{date:%Y/%m/%d}/{stem}.html"
store: var/aggregator.db                # a path (SQLite) or an SQLAlchemy URL
posts:
  - path: posts
    glob: "*.md"                        # **/*.md for a tree
    when_removed: keep
    drop_lines: ['^\[返回.*\]\(.*\)\s*$']  # boilerplate, one pattern a line
shares:
  - match: '/html_News/NewsShare\.html\?infoCode=(?P<code>NW\d{18})'
    text: {url: '{origin}/NewsData/GetNewsText.do?id={code}', format: json, html: 'content || text'}
    urls: []
    refresh: {for: 48h, every: 30m}
lists: []
subscriptions: []
sources: {}
feeds:
  directory: feeds
  url: https://finews.example.org/feeds/
  entries: 50
  combined_entries: 100
  formats: [atom]
schedule: {posts: 30s, shares: 5m, lists: 5m, subscriptions: 30m}
fetch: {user_agent: news/1, timeout: 30s, max_bytes: 5MB, per_host: {concurrency: 2, delay: 1s},
  allow_private_addresses: false}
"""

ERRORS = {
    "section": ("feeds:", "feed:", 7, "feed: unknown key, did you mean feeds?"),
    "key": ("  title:", "  titel:", 2, "site.titel: unknown key, did you mean title?"),
    "list": ("  - path: posts", "  - path: posts\n    globb: x", 7, "posts[0].globb: unknown key"),
    "nested": ("feeds:", "fetch: {per_host: {dealy: 1s}}\nfeeds:", 7, "did you mean delay?"),
    "plain item": (
        "feeds:",
        "subscriptions: ['https://a.cn/f']\nfeeds:",
        7,
        "must be a section of `key: value` lines: write `- url: https://a.cn/f`",
    ),
    "plain folder": (
        "  - path: posts",
        "  - posts",
        6,
        "lines: write `- path: posts`",
    ),
    "wrong section": ("feeds:", "timezone: UTC\nfeeds:", 7, "it belongs under site:"),
    "other section": ("feeds:", "entries: 3\nfeeds:", 7, "it belongs under feeds:"),
    "alias": ("feeds:", "shares:\n  - refresh: {fro: 1h}\nfeeds:", 8, "did you mean for?"),
    "missing": ("  tag: finews.example.org,2021\n", "", 1, "site.tag: is required"),
    "type": ("directory: feeds", "directory: [feeds]", 8, "feeds.directory: must be text"),
    "number": ("directory: feeds", "entries: many", 8, "feeds.entries: must be a number"),
    "range": ("directory: feeds", "entries: 0", 8, "feeds.entries: "),
    "choice": ("path: posts", "path: posts\n    when_removed: lose", 7, "'keep' or 'drop'"),
    "duration": ("feeds:", "schedule: {posts: soon}\nfeeds:", 7, "a duration like 30s"),
    "no time": ("feeds:", "schedule: {posts: 0s}\nfeeds:", 7, "schedule.posts"),
    "size": ("feeds:", "fetch: {max_bytes: big}\nfeeds:", 7, "a size like 500kB"),
    "pattern": ("path: posts", "path: posts\n    drop_lines: ['(']", 7, "regular expression"),
    "no code": ("feeds:", "shares: [{match: x}]\nfeeds:", 7, "needs a group named code"),
    "zone": ("  tag:", "  timezone: Mars/North\n  tag:", 4, "no such time zone"),
    "tag": ("finews.example.org,2021", "finews", 4, "site.tag: must be a domain and a year"),
    "url": ("https://finews.example.org/\n", "finews.example.org\n", 3, "site.url: must be a full"),
    "permalink": ("  tag:", "  permalink: '{nope}'\n  tag:", 4, "may use {url}"),
    "twice": ("feeds:", "site: {}\nfeeds:", 7, "site: appears twice"),
    "anchor": ("title: 财经新闻", "title: &x 财经新闻", 2, "anchors"),
    "yaml": ("title: 财经新闻", "title: [", 4, "not valid YAML"),
    "tab": ("  title:", "\ttitle:", 2, "tabs are not allowed for indentation: use spaces"),
    "colon": ("title: 财经新闻", "title: A: b", 2, "put quotes around a text with ': ' in it"),
    "outdent": ("  tag:", " tag:", 4, "the indentation does not fit the lines above"),
    "indent": ("  tag:", "   tag:", 4, "does not fit the line above"),
    "at": ("title: 财经新闻", "title: @news", 2, "put quotes around a text that starts with @"),
    "star": ("  - path: posts", "  - path: posts\n    glob: *.md", 7, "that starts with * or &"),
    "quotes": ("title: 财经新闻", 'title: "a" b', 2, "text after a closing quote"),
    "open quote": ("title: 财经新闻", 'title: "a', 2, "a quote or bracket is not closed"),
    "bell": ("title: 财经新闻", "title: a\ab", 2, "the character U+0007 is not allowed"),
    "text": ("title: 财经新闻", "title: 2021", 2, "site.title: must be text"),
    "no list": (
        "  - path: posts",
        "    path: posts",
        5,
        "must be a list: write `- path: …`",
    ),
    "no section": (
        "  directory: feeds\n  url: https://finews.example.org/feeds/",
        "",
        7,
        "must be a section of `key: value` lines: write `url: …`",
    ),
    "object": ("title: 财经新闻", "title: !!python/name:os.system x", 2, "not allowed"),
    "eternity": ("feeds:", "schedule: {posts: 99999999999999d}\nfeeds:", 7, "schedule.posts: "),
    "all bytes": ("feeds:", f"fetch: {{max_bytes: {'9' * 400}MB}}\nfeeds:", 7, "fetch.max_bytes: "),
    "nul in feeds": ("directory: feeds", r'directory: "a\0b"', 8, "feeds.directory: "),
    "nul in posts": ("path: posts", r'path: "a\0b"', 6, "posts[0].path: "),
    "nul in store": ("feeds:", 'store: "a\\0b"\nfeeds:', 7, "store: "),
    "store": ("feeds:", "store: mysql://x/y\nfeeds:", 7, "store: must be the path"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_named_with_file_line_and_key(site: Site, case: str) -> None:
    right, wrong, line, reason = ERRORS[case]
    site.configure(lambda text: text.replace(right, wrong, 1))
    for command in ("check", "build-feeds"):
        result = site.run(command)
        assert result.code == 2
        assert any(
            message.removeprefix("aggregator: ").startswith(f"config.yaml:{line}: ")
            and reason in message
            for message in result.err.splitlines()
        ), result.err
        assert "Traceback" not in result.err


def test_all_errors_are_told_together(site: Site) -> None:
    site.configure(lambda text: text.replace("title:", "titel:").replace("feeds:", "feed:"))
    assert len(site.run("check").err.splitlines()) == 4


def test_the_whole_contract_is_accepted(site: Site) -> None:
    site.config.write_text(CONTRACT, encoding="utf-8")
    site.post("2022-01-27-x.md", article())
    assert site.run("check").code == 0
    site.build()
    assert len(site.entries()) == 1


@pytest.mark.parametrize("text", ["null", "{format: html}"])
def test_main_texts_need_an_extra(site: Site, text: str) -> None:
    site.configure(lambda config: config + f"shares:\n  - text: {text}\n")
    assert site.run("check").code == 0
    without = (
        "import sys; sys.modules['trafilatura'] = None; from aggregator.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{without}; from aggregator.cli import main; main()", "check"],
        cwd=site.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("aggregator: config.yaml:11: shares[0]: ")
    assert "sh bootstrap.sh pages" in done.stderr


def test_no_file(site: Site) -> None:
    site.config.unlink()
    result = site.run("build-feeds")
    assert result.code == 2
    assert "config.yaml: no such file; `aggregator init` writes one" in result.err


FILES = {
    "nothing": (b"", "config.yaml:1: must be keys and values"),
    "list": (b"- site\n", "config.yaml:1: must be keys and values"),
    "latin": ("site: {title: Zürich}\n".encode("latin-1"), "config.yaml: not UTF-8 text (byte 15)"),
    "deep": (b"[" * 50_000, "config.yaml:1: nested deeper than 20 levels"),
    "large": (b"#" * 1_000_001, "config.yaml: larger than 1,000,000 bytes"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_no_configuration(site: Site, case: str) -> None:
    content, reason = FILES[case]
    site.config.write_bytes(content)
    for command in ("check", "build-feeds", "status"):
        result = site.run(command)
        assert result.code == 2
        assert result.err.startswith(f"aggregator: {reason}")
        assert len(result.err.splitlines()) == 1


def test_a_folder_instead_of_the_file(site: Site) -> None:
    result = site.run("check", "--config", site.posts)
    assert result.code == 2
    assert "is a directory" in result.err


def test_paths_are_relative_to_the_file(site: Site, tmp_path: Path) -> None:
    site.post("2022-01-27-x.md", article())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = Site(elsewhere / "x")
    result = other.run("build-feeds", "--config", site.config)
    assert result.code == 0
    assert len(site.entries()) == 1
    assert not other.feeds.exists()


def test_the_environment_overrides_single_values(site: Site) -> None:
    site.post("2022-01-27-x.md", article())
    site.build(
        environment={
            "AGGREGATOR_STORE": "elsewhere/x.db",
            "AGGREGATOR_FEEDS_DIRECTORY": "out",
            "AGGREGATOR_FEEDS_ENTRIES": "7",
            "AGGREGATOR_SITE_TITLE": "Anders",
        }
    )
    assert (site.root / "elsewhere" / "x.db").is_file()
    assert "<title>Anders</title>" in (site.root / "out" / "all.atom").read_text()
    assert not site.feeds.exists()


def test_the_environment_names_the_file(site: Site) -> None:
    site.config.rename(site.root / "other.yaml")
    assert site.run("check", environment={"AGGREGATOR_CONFIG": "other.yaml"}).code == 0


def test_the_environment_overrides_the_address_of_feeds(site: Site) -> None:
    site.post("2022-01-27-x.md", article())
    site.build()
    site.build(environment={"AGGREGATOR_FEEDS_URL": "https://cdn.example.org/f"})
    links = {link.rel: link.href for link in site.feed().feed.links}
    assert links["self"] == "https://cdn.example.org/f/all.atom"
    site.build()
    links = {link.rel: link.href for link in site.feed().feed.links}
    assert links["self"] == "https://finews.example.org/feeds/all.atom"


def test_an_option_goes_before_the_environment(site: Site) -> None:
    environment = {"AGGREGATOR_CONFIG": "other.yaml"}
    assert site.run("check", environment=environment).code == 2
    assert site.run("check", "--config", "config.yaml", environment=environment).code == 0


def test_a_wrong_override_is_an_error_too(site: Site) -> None:
    result = site.run("check", environment={"AGGREGATOR_FEEDS_ENTRIES": "many"})
    assert result.code == 2
    assert "feeds.entries" in result.err
    assert "AGGREGATOR_FEEDS_ENTRIES" in result.err


def test_init_then_check_then_build(tmp_path: Path) -> None:
    base = Site(tmp_path / "base")
    options = ("--title", "x", "--url", "https://x.cn/", "--tag", "x.cn,2021")
    result = base.run("init", "new", *options)
    assert result.code == 0
    config = base.root / "new" / "config.yaml"
    assert base.run("check", "--config", config).code == 0
    (base.root / "new" / "posts" / "2022-01-27-x.md").write_text(article(), encoding="utf-8")
    assert base.run("build-feeds", "--config", config).code == 0
    assert (base.root / "new" / "feeds" / "all.atom").is_file()
    before = config.read_bytes()
    again = base.run("init", "new")
    assert again.code == 1
    assert "there is one already" in again.err
    assert config.read_bytes() == before


def test_the_smallest_config_is_the_one_of_these_tests() -> None:
    assert len(CONFIG.splitlines()) == 9


def test_every_kind_of_origin_has_a_section_and_a_schedule() -> None:
    assert set(ORIGIN_KINDS) <= Settings.model_fields.keys()
    assert set(ORIGIN_KINDS) <= Schedule.model_fields.keys()
