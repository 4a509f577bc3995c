"""The same feed in every format (docs/feeds.md), read back by programs that are not ours."""

import json
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from pathlib import Path
from typing import Any

import atoma
import feedparser
import listparser
import pytest
from conftest import ATOM, Site, article, share_url

CODES = [f"NW2022012722622841{number:02d}" for number in range(3)]
NASTY = "<b>A & B</b> “引号” ]]&gt; \u0008 𠀀"


@pytest.fixture
def every_format(site: Site) -> Site:
    site.configure(
        lambda text: (
            text + "  formats: [atom, rss, json]\n  hubs: ['https://hub.example.org/?a=1&b=2']\n"
        )
    )
    for number, code in enumerate(CODES):
        site.post(
            f"2022-01-27-{code}.md",
            article(
                f"标题{number} & <其他>",
                f"<p>正文{number}：{NASTY}</p><img src='//img.example.org/{number}.png'>",
                date=f"2022-01-27 1{number}:00:00 +0800",
                share=share_url(code),
                source="huaxiashibao" if number else "chenbao",
                name="华夏时报" if number else "晨报",
            ),
        )
    site.build()
    post = site.posts / f"2022-01-27-{CODES[1]}.md"
    post.write_text(post.read_text("utf-8").replace("正文1", "更正1"), "utf-8")
    site.build()
    return site


def normal(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def by_feedparser(path: Path) -> list[tuple[Any, ...]]:
    parsed = feedparser.parse(path.read_bytes(), sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo, parsed.bozo_exception
    return [
        (
            entry.id,
            entry.title,
            entry.published_parsed,
            entry.updated_parsed,
            entry.link,
            entry.author,
            entry.content[0].value,
        )
        for entry in parsed.entries
    ]


@pytest.mark.parametrize("feed", ["all", "sources/huaxiashibao", "sources/chenbao"])
def test_every_format_has_the_same_entries(every_format: Site, feed: str) -> None:
    atom, rss = (by_feedparser(every_format.feeds / f"{feed}.{name}") for name in ("atom", "rss"))
    assert len(atom) == {"all": 3, "sources/huaxiashibao": 2, "sources/chenbao": 1}[feed]
    assert atom == rss
    found = json.loads((every_format.feeds / f"{feed}.json").read_bytes())["items"]
    assert [
        (
            item["id"],
            item["title"],
            normal(item["date_published"]).utctimetuple()[:6],
            normal(item["date_modified"]).utctimetuple()[:6],
            item["url"],
            item["authors"][0]["name"],
            item["content_html"],
        )
        for item in found
    ] == [(*entry[:2], entry[2][:6], entry[3][:6], *entry[4:]) for entry in atom]


def test_a_correction_moves_updated_in_every_format(every_format: Site) -> None:
    for name in ("atom", "rss"):
        entries = by_feedparser(every_format.feeds / f"all.{name}")
        assert [entry[3] > entry[2] for entry in entries] == [False, True, False]


def test_rss_for_another_reader(every_format: Site) -> None:
    feed = atoma.parse_rss_bytes((every_format.feeds / "all.rss").read_bytes())
    assert feed.title == "财经新闻"
    assert feed.link == "https://finews.example.org/"
    assert feed.ttl == 15
    assert feed.language == "zh-CN"
    assert [item.guid for item in feed.items] == [
        f"tag:finews.example.org,2021:{code}" for code in reversed(CODES)
    ]
    assert [item.title for item in feed.items] == [f"标题{number} & <其他>" for number in (2, 1, 0)]
    assert all(
        "正文" in item.content_encoded or "更正" in item.content_encoded for item in feed.items
    )
    assert feed.items[0].pub_date.isoformat() == "2022-01-27T12:00:00+08:00"


def test_rss_follows_the_advisory_board(every_format: Site) -> None:
    channel = ElementTree.parse(every_format.feeds / "all.rss").getroot()[0]
    links = {link.get("rel"): link.get("href") for link in channel.findall(ATOM + "link")}
    assert links == {
        "self": "https://finews.example.org/feeds/all.rss",
        "hub": "https://hub.example.org/?a=1&b=2",
    }
    for name in ("title", "link", "description", "lastBuildDate", "generator", "docs", "ttl"):
        assert len(channel.findall(name)) == 1, name
    item = channel.find("item")
    assert item is not None
    guid = item.find("guid")
    assert guid is not None
    assert guid.get("isPermaLink") == "false"
    source = item.find("source")
    assert source is not None
    assert source.get("url") == "https://finews.example.org/feeds/sources/huaxiashibao.rss"
    description = item.findtext("description") or ""
    assert description.startswith("正文2")
    assert "<" not in description.replace("<其他>", "")


def test_json_for_another_reader(every_format: Site) -> None:
    data = (every_format.feeds / "all.json").read_bytes()
    feed = atoma.parse_json_feed(json.loads(data))
    assert feed.version == "https://jsonfeed.org/version/1.1"
    assert feed.feed_url == "https://finews.example.org/feeds/all.json"
    assert [item.id_ for item in feed.items] == [
        f"tag:finews.example.org,2021:{code}" for code in reversed(CODES)
    ]
    assert feed.items[0].date_published.isoformat() == "2022-01-27T12:00:00+08:00"
    raw = json.loads(data)
    assert raw["hubs"] == [{"type": "WebSub", "url": "https://hub.example.org/?a=1&b=2"}]
    assert raw["language"] == "zh-CN"
    assert raw["items"][0]["tags"] == ["华夏时报"]


def test_hubs_and_the_page_are_linked_in_atom(every_format: Site) -> None:
    feed = every_format.feed("all.atom").feed
    links = {link.rel: link.href for link in feed.links}
    assert links["hub"] == "https://hub.example.org/?a=1&b=2"
    root = ElementTree.parse(every_format.feeds / "all.atom").getroot()
    page = root.find(".//{http://www.w3.org/1999/xhtml}a")
    assert page is not None
    assert page.get("href") == "https://finews.example.org/feeds/index.html"
    start = (every_format.feeds / "sources" / "chenbao.atom").read_text("utf-8")[:200]
    assert '<?xml-stylesheet type="text/css" href="../feed.css"?>' in start


def test_one_format_alone_and_no_page(site: Site) -> None:
    site.configure(lambda text: text + "  formats: [json]\n  page: false\n")
    site.post("1.md", article("eins"))
    site.build()
    files = {str(path.relative_to(site.feeds)) for path in site.feeds.rglob("*") if path.is_file()}
    assert files == {"all.json", "feeds.opml", "sources/huaxiashibao.json"}


def test_what_is_no_longer_configured_goes_away(every_format: Site) -> None:
    stranger = every_format.feeds / "sources" / "own.rss"
    stranger.write_text("mine")
    every_format.configure(lambda text: text.replace("[atom, rss, json]", "[atom]\n  page: false"))
    every_format.build()
    files = {
        str(path.relative_to(every_format.feeds))
        for path in every_format.feeds.rglob("*")
        if path.is_file()
    }
    assert files == {
        "all.atom",
        "feeds.opml",
        "sources/chenbao.atom",
        "sources/huaxiashibao.atom",
        "sources/own.rss",
    }


def test_the_dates_of_a_lost_store_come_back_from_any_format(every_format: Site) -> None:
    every_format.configure(lambda text: text.replace("[atom, rss, json]", "[json]"))
    every_format.build()
    before = (every_format.feeds / "all.json").read_bytes()
    every_format.store.unlink()
    every_format.build()
    assert (every_format.feeds / "all.json").read_bytes() == before


def test_opml_lists_every_feed(every_format: Site) -> None:
    text = (every_format.feeds / "feeds.opml").read_text("utf-8")
    parsed = listparser.parse(text)
    assert not parsed.bozo
    assert parsed.meta.title == "财经新闻"
    assert [(feed.title, feed.url) for feed in parsed.feeds] == [
        ("全部来源", "https://finews.example.org/feeds/all.atom"),
        ("华夏时报", "https://finews.example.org/feeds/sources/huaxiashibao.atom"),
        ("晨报", "https://finews.example.org/feeds/sources/chenbao.atom"),
    ]
    root = ElementTree.fromstring(text)
    assert root.get("version") == "2.0"
    assert len(root.findall("body/outline[@text='来源']/outline")) == 2


def test_compressed_files_hold_the_same_and_go_with_them(site: Site) -> None:
    import gzip

    import brotli

    site.configure(lambda text: text + "  compress: [gzip, br]\n")
    site.post("1.md", article("eins"))
    site.build()
    for path in (site.feeds / "all.atom", site.feeds / "sources" / "huaxiashibao.atom"):
        data = path.read_bytes()
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == data
        assert brotli.decompress(path.with_name(path.name + ".br").read_bytes()) == data
    site.configure(lambda text: text.replace("  compress: [gzip, br]\n", ""))
    site.post("2.md", article("zwei", date="2022-02-01"))
    site.build()
    assert not [path for path in site.feeds.rglob("*") if path.suffix in (".gz", ".br")]
