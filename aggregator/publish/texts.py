"""The texts of pages and of feeds, in the language of the site.  Pure."""

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
    what_is_a_reader: str
    about_readers: str
    site: str
    all_sources: str
    sources: str
    topics: str
    tags: str
    search: str
    found: str
    nothing_found: str
    sort: str
    by_newest: str
    by_name: str
    by_number: str
    subscribe: str
    subscribe_to: str
    in_an_app: str
    copy: str
    copied: str
    articles: Callable[[int], str]
    newest: str
    days: Callable[[int], str]
    last_days: str
    silent: Callable[[int], str]
    empty: str
    all_feeds: str
    all_articles: str
    archive: str
    original: str
    read_on: str
    corrected: str
    corrections: str
    earlier_title: str
    cut: str
    older: str
    newer: str
    other_formats: str
    search_articles: str
    search_now: str
    no_article: str
    newest_only: str
    bad_query: str
    also_reported_by: str
    between_names: str
    and_more: Callable[[int], str]


_CHINESE = Words(
    this_is_a_feed="这是一个订阅源。把它的网址复制到阅读器里，就能收到新文章。",
    to_the_page="全部订阅源",
    feeds="订阅源",
    introduction="用阅读器订阅，新文章会自动送到，全文可读。",
    what_is_a_reader="什么是阅读器？",
    about_readers="https://zh.wikipedia.org/wiki/聚合器",
    site="网站首页",
    all_sources="全部来源",
    sources="来源",
    topics="专题",
    tags="标签",
    search="筛选来源、专题、标签和最新标题",
    found="找到 {} 项",
    nothing_found="没有找到",
    sort="排序",
    by_newest="最新",
    by_name="名称",
    by_number="篇数",
    subscribe="订阅",
    subscribe_to="订阅“{}”",
    in_an_app="用本机的阅读器打开",
    copy="复制网址",
    copied="已复制",
    articles="{:,} 篇".format,
    newest="最新",
    days="最近 30 天共 {:,} 篇".format,
    last_days="最近 30 天",
    silent="{:,} 天没有新文章".format,
    empty="还没有文章",
    all_feeds="一次导入全部（OPML）",
    all_articles="全部文章",
    archive="往期",
    original="原文",
    read_on="阅读全文",
    corrected="更正于",
    corrections="更正记录",
    earlier_title="原标题：",
    cut="改动太多，只显示前面的部分。",
    older="较早",
    newer="较新",
    other_formats="其他格式",
    also_reported_by="同题报道：",
    between_names="、",
    and_more="，另有 {:,} 篇".format,
    search_articles="搜索文章",
    search_now="搜索",
    no_article="没有找到文章",
    newest_only="只列出最新的 {:,} 篇。",
    bad_query="请写要找的词：至少一个，最多 20 个，不超过 200 个字。",
)
_ENGLISH = Words(
    this_is_a_feed="This is a feed. Copy its address into a feed reader to receive new articles.",
    to_the_page="All feeds",
    feeds="Feeds",
    introduction="Subscribe in a feed reader, and new articles arrive there with their full text.",
    what_is_a_reader="What is a feed reader?",
    about_readers="https://aboutfeeds.com/",
    site="Home page",
    all_sources="All sources",
    sources="Sources",
    topics="Topics",
    tags="Tags",
    search="Filter sources, topics, tags and recent titles",
    found="Found: {}",
    nothing_found="Nothing found",
    sort="Sort",
    by_newest="Newest",
    by_name="Name",
    by_number="Articles",
    subscribe="Subscribe",
    subscribe_to="Subscribe to {}",
    in_an_app="Open in a reader on this device",
    copy="Copy address",
    copied="Copied",
    articles=lambda number: counted(number, "article"),
    newest="Newest",
    days=lambda number: f"{counted(number, 'article')} in the last 30 days",
    last_days="last 30 days",
    silent=lambda number: f"no new article for {counted(number, 'day')}",
    empty="No articles yet",
    all_feeds="Import all feeds (OPML)",
    all_articles="All articles",
    archive="Archive",
    original="Original",
    read_on="Read on",
    corrected="Corrected",
    corrections="Corrections",
    earlier_title="Earlier title: ",
    cut="There are more changes than can be shown here.",
    older="Older",
    newer="Newer",
    other_formats="Other formats",
    also_reported_by="Also reported by: ",
    between_names=", ",
    and_more=" and {:,} more".format,
    search_articles="Search articles",
    search_now="Search",
    no_article="No article found",
    newest_only="Only the newest {:,} are listed.",
    bad_query="Write 1 to 20 words to look for, 200 characters at most.",
)


def words(language: str) -> Words:
    """Return Chinese texts for any kind of Chinese, and English ones for all other languages."""
    return _CHINESE if language.lower().split("-")[0] == "zh" else _ENGLISH
