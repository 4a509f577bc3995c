"""Feeds of tags and feeds by a filter (docs/feeds.md)."""

import listparser
import pytest
from conftest import Site, article, share_url

EXTRA = """\
  extra:
    ports: {title: 港口与航运, words: [港口, SHIPPING]}
    steel: {stocks: ['600160', '000001']}
    morning-ports: {sources: [chenbao], words: [港口]}
    energy: {tags: [能源, 电力]}
"""
STOCK = '<span id="stock_1.600160"><a href="//q.example.org/" data-code="1,600160">巨化</a></span>'


def post(
    site: Site, number: int, title: str, text: str, source: str = "chenbao", tag: str = ""
) -> None:
    name = {"chenbao": "晨报", "wanbao": "晚报"}[source]
    code = f"NW20220127222{number:07d}"
    written = article(
        title,
        f"<p>{text}</p>",
        date=f"2022-01-27 10:{number:02d}:00 +0800",
        source=source,
        name=name,
        share=share_url(code),
    )
    if tag:
        written = written.replace(f"tags: {name}新闻", f"tags: [{name}新闻, '{tag}']")
    site.post(f"2022-01-27-{code}.md", written)


def titles(site: Site, feed: str) -> list[str]:
    return [entry.title for entry in site.entries(feed)]


@pytest.fixture
def filtered(site: Site) -> Site:
    site.configure(lambda text: text + EXTRA)
    post(site, 1, "港口扩建", "正文。")
    post(site, 2, "其他", "Global shipping 回升。", "wanbao")
    post(site, 3, "化工", f"{STOCK} 上涨。", "wanbao")
    post(site, 4, "编号", "订单 1600160 与 6001605 无关，港区也是。", "wanbao")
    site.build()
    return site


def test_words_in_title_or_text(filtered: Site) -> None:
    assert titles(filtered, "extra/ports.atom") == ["其他", "港口扩建"]
    assert filtered.feed("extra/ports.atom").feed.title == "港口与航运 - 财经新闻"


def test_stock_codes_in_the_mark_up(filtered: Site) -> None:
    assert titles(filtered, "extra/steel.atom") == ["化工"]


def test_all_kinds_of_criteria_must_hold(filtered: Site) -> None:
    assert titles(filtered, "extra/morning-ports.atom") == ["港口扩建"]


def test_words_are_not_found_in_mark_up(site: Site) -> None:
    site.configure(lambda text: text + "  extra: {links: {words: [example.org]}}\n")
    post(site, 1, "a", '<a href="https://example.org/">b</a>')
    site.build()
    assert titles(site, "extra/links.atom") == []


def test_a_filter_that_finds_nothing_is_an_empty_feed(filtered: Site) -> None:
    assert titles(filtered, "extra/energy.atom") == []


def test_a_corrected_article_enters_and_leaves(filtered: Site) -> None:
    path = next(path for path in filtered.posts.iterdir() if "港口" in path.read_text("utf-8"))
    text = path.read_text("utf-8")
    path.write_text(text.replace("港口扩建", "扩建"), "utf-8")
    filtered.build()
    assert titles(filtered, "extra/ports.atom") == ["其他"]
    path.write_text(text, "utf-8")
    filtered.build()
    assert titles(filtered, "extra/ports.atom") == ["其他", "港口扩建"]


def test_a_changed_filter_looks_at_every_article_again(filtered: Site) -> None:
    filtered.configure(lambda text: text.replace("[港口, SHIPPING]", "[上涨]"))
    filtered.build()
    assert titles(filtered, "extra/ports.atom") == ["化工"]


def test_every_format_and_the_lists_have_them(filtered: Site) -> None:
    filtered.configure(lambda text: text + "  formats: [atom, rss, json]\n")
    filtered.build()
    for extension in ("atom", "rss", "json"):
        assert "港口扩建" in (filtered.feeds / f"extra/ports.{extension}").read_text("utf-8")
    listed = listparser.parse((filtered.feeds / "feeds.opml").read_text("utf-8"))
    assert "https://finews.example.org/feeds/extra/ports.atom" in [
        feed.url for feed in listed.feeds
    ]
    assert "extra/ports.atom" in (filtered.feeds / "index.html").read_text("utf-8")


def test_only_the_feeds_concerned_are_written(filtered: Site) -> None:
    post(filtered, 5, "新", "港口。", "wanbao")
    written = filtered.build("--json").json["written"]
    assert sorted(path for path in written if path.endswith(".atom")) == [
        "all.atom",
        "extra/ports.atom",
        "sources/wanbao.atom",
    ]


def test_a_feed_of_each_tag(site: Site) -> None:
    site.configure(lambda text: text + "  tags: true\n")
    post(site, 1, "eins", "a", tag="energy")
    post(site, 2, "zwei", "b", "wanbao", tag="energy")
    post(site, 3, "drei", "c")
    site.build()
    assert titles(site, "tags/energy.atom") == ["zwei", "eins"]
    assert site.feed("tags/energy.atom").feed.title == "energy - 财经新闻"
    entry = site.entries("tags/energy.atom")[0]
    assert entry.source.id == "tag:finews.example.org,2021:feeds/sources/wanbao"
    assert [path.name for path in (site.feeds / "tags").iterdir()] == ["energy.atom"]


def test_tags_are_no_file_names(site: Site) -> None:
    site.configure(lambda text: text + "  tags: true\n")
    post(site, 1, "eins", "a", tag="../../能源")
    site.build()
    (path,) = (site.feeds / "tags").iterdir()
    assert path.suffix == ".atom"
    assert not path.name.startswith(".")
    assert site.feed(f"tags/{path.name}").feed.title == "../../能源 - 财经新闻"


def test_feeds_that_are_not_wanted_any_more_go_away(filtered: Site) -> None:
    filtered.configure(lambda text: text.replace("    steel: {stocks: ['600160', '000001']}\n", ""))
    filtered.build()
    assert not (filtered.feeds / "extra" / "steel.atom").exists()
    assert (filtered.feeds / "extra" / "ports.atom").exists()
    assert "steel" not in (filtered.feeds / "feeds.opml").read_text("utf-8")


@pytest.mark.usefixtures("on_both")
def test_an_article_held_back_enters_when_it_is_due(site: Site) -> None:
    site.configure(lambda text: text + "  extra: {all-of-it: {words: [später]}}\n")
    site.post("1.md", article("später", date="2222-01-01"))
    site.post("2.md", article("jetzt"))
    site.build()
    assert titles(site, "extra/all-of-it.atom") == []
    site.run("show", "posts/1.md")
    result = site.run("show", "posts/1.md", "--json").json
    assert result["scheduled"] is True


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ("{UPPER: {words: [a]}}", "a to z, digits and single hyphens"),
        ("{../x: {words: [a]}}", "a to z, digits and single hyphens"),
        ("{empty: {title: T}}", "title_words, stocks, search, not, or excerpt"),
        ("{a: {words: ['']}}", "feeds.extra.a.words[0]"),
        ("{a: {word: [x]}}", "did you mean words?"),
    ],
)
def test_filters_that_are_none(site: Site, extra: str, complaint: str) -> None:
    site.configure(lambda text: text + f"  extra: {extra}\n")
    result = site.build(expect=2)
    assert complaint in result.err


SAVED = """\
  extra:
    titled: {title_words: [港口, SHIP]}
    without: {words: [港], not: {words: [扩建], sources: [wanbao], tags: [航空]}}
    saved: {search: '港口 -"扩 建"'}
    phrase: {search: '"global shipping" 回升'}
"""


def test_words_of_the_title_alone_and_what_is_left_out(site: Site) -> None:
    site.configure(lambda text: text + SAVED)
    post(site, 1, "港口扩建", "正文。")
    post(site, 2, "其他", "港口，Global  <b>Ship</b>ping 回升。")
    post(site, 3, "Shipping", "港湾。", "wanbao")
    post(site, 4, "机场", "空港。", tag="航空")
    site.build()
    assert titles(site, "extra/titled.atom") == ["Shipping", "港口扩建"]
    assert titles(site, "extra/without.atom") == ["其他"]
    assert titles(site, "extra/saved.atom") == ["其他"]
    assert titles(site, "extra/phrase.atom") == ["其他"]


@pytest.mark.parametrize(
    ("query", "complaint"), [("-a", "only words that exclude"), ("x" * 201, "200 characters")]
)
def test_a_saved_search_that_finds_nothing_is_refused(
    site: Site, query: str, complaint: str
) -> None:
    site.configure(lambda text: text + f"  extra: {{a: {{search: '{query}'}}}}\n")
    err = site.build(expect=2).err
    assert "config.yaml:11: feeds.extra.a.search: " in err
    assert complaint in err
