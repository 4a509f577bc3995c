"""Feeds in XML with given entries, read as a poll reads them."""

from aggregator.origins.parsers.feed import parse_feed
from aggregator.origins.parsers.feed_items import ParsedFeed

URL = "http://feeds.example/blog/feed.xml"
NAMESPACES = (
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
)


def read(text: str, content_type: str = "application/xml; charset=utf-8") -> ParsedFeed:
    return parse_feed(text.encode(), content_type, URL)


def rss(*items: str, head: str = "", doctype: str = "") -> ParsedFeed:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return read(
        f'<?xml version="1.0"?>{doctype}<rss version="2.0" {NAMESPACES}><channel>'
        f"<title>Feed</title>{head}{inside}</channel></rss>"
    )


def atom(*entries: str, head: str = "", attributes: str = "") -> ParsedFeed:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return read(
        f'<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" '
        f"{attributes}><title>Feed</title>{head}{inside}</feed>"
    )
