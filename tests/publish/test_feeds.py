"""The same feed in every format (docs/feeds.md), read back by programs that are not ours."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from conftest import Site, article


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
