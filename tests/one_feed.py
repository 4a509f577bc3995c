"""A feed document with one entry, for what writes and checks formats."""

import dataclasses
import datetime
from typing import Any

from aggregator.model.articles import Enclosure
from aggregator.model.feeds import Entry, FeedDocument, FeedOrigin, SourceName
from aggregator.model.formats import FORMATS
from aggregator.model.frame import Frame

ZONE = datetime.timezone(datetime.timedelta(hours=8))
PUBLISHED = datetime.datetime(2022, 1, 27, 22, tzinfo=ZONE)
UPDATED = PUBLISHED + datetime.timedelta(hours=1)
NOW = UPDATED + datetime.timedelta(days=1)
ENTRY = Entry(
    id="tag:a.example,2021:1",
    title="标题",
    published=PUBLISHED,
    updated=UPDATED,
    source=SourceName("hxsb", "hxsb", "华夏时报"),
    author="华夏时报",
    content="<p>正文</p>",
    alternate="https://a.example/1",
    via="https://b.example/1",
    categories=("股票",),
    enclosures=(Enclosure("https://a.example/1.mp3", "audio/mpeg", 12),),
)
ORIGIN = FeedOrigin(
    "tag:a.example,2021:feeds/sources/hxsb",
    "华夏时报 - 财经",
    {name: f"https://a.example/feeds/sources/hxsb.{name}" for name in ("atom", "rss", "json")},
    UPDATED,
)


def entry(**values: Any) -> Entry:
    return dataclasses.replace(ENTRY, **values)


def document(*entries: Entry, **values: Any) -> FeedDocument:
    """A feed in every format of these entries, or of the one."""
    plain = {
        "id": "tag:a.example,2021:feeds/all",
        "urls": {name: f"https://a.example/feeds/all.{name}" for name in FORMATS},
        "alternate": "https://a.example/",
        "title": "财经",
        "subtitle": None,
        "language": "zh-CN",
        "updated": UPDATED,
        "author": "某人",
        "entries": entries or (ENTRY,),
        "frame": Frame("财经", "https://a.example/", "https://a.example/feeds/", "zh-CN"),
        "origins": {"hxsb": ORIGIN},
    }
    return FeedDocument(**{**plain, **values})
