"""The texts of the index page and of feeds, in the language of the site.  Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aggregator.model.terminal import counted


@dataclass(frozen=True, slots=True)
class Words:
    """All texts for people; `{}` stands for a number or a name."""

    this_is_a_feed: str
    to_the_page: str
    feeds: str
    introduction: str
    all_sources: str
    sources: str
    topics: str
    tags: str
    search: str
    found: str
    nothing_found: str
    subscribe: str
    copy: str
    copied: str
    copy_of: str
    articles: Callable[[int], str]
    newest: str
    days: Callable[[int], str]
    empty: str
    all_feeds: str


_CHINESE = Words(
    this_is_a_feed="这是一个订阅源。把它的网址复制到阅读器里，就能收到新文章。",
    to_the_page="全部订阅源",
    feeds="订阅",
    introduction="把下面的网址复制到任何阅读器，新文章就会自动送达，全文可读。",
    all_sources="全部来源",
    sources="来源",
    topics="专题",
    tags="标签",
    search="搜索来源（名称或拼音）",
    found="找到 {} 个来源",
    nothing_found="没有找到来源",
    subscribe="订阅",
    copy="复制网址",
    copied="已复制",
    copy_of="复制“{}”的网址",
    articles="{:,} 篇文章".format,
    newest="最新",
    days="最近 30 天共 {:,} 篇".format,
    empty="还没有文章",
    all_feeds="全部订阅源的 OPML 文件",
)
_ENGLISH = Words(
    this_is_a_feed="This is a feed. Copy its address into a feed reader to receive new articles.",
    to_the_page="All feeds",
    feeds="Feeds",
    introduction="Copy an address into any feed reader, and new articles arrive with full text.",
    all_sources="All sources",
    sources="Sources",
    topics="Topics",
    tags="Tags",
    search="Search sources by name",
    found="Sources found: {}",
    nothing_found="No source found",
    subscribe="Subscribe",
    copy="Copy address",
    copied="Copied",
    copy_of="Copy the address of {}",
    articles=lambda number: counted(number, "article"),
    newest="Newest",
    days=lambda number: f"{counted(number, 'article')} in the last 30 days",
    empty="No articles yet",
    all_feeds="All feeds as an OPML file",
)


def words(language: str) -> Words:
    """Return Chinese texts for any kind of Chinese, and English ones for all other languages."""
    return _CHINESE if language.lower().split("-")[0] == "zh" else _ENGLISH
