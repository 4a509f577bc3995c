"""The bytes of an upstream feed → its entries.  Pure; meant to run in the sandbox.

RSS 0.9x to 2.0 and Atom 0.3 and 1.0 by feedparser, JSON Feed 1.0 and 1.1 by hand.
HTML is not sanitized here: whatever is published goes through `sanitize.sanitize` first.
"""

from __future__ import annotations

import dataclasses
import re
from zoneinfo import ZoneInfo

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers import feed_cleanup, feed_fields, feed_json, feed_xml, page
from aggregator.origins.parsers.feed_items import FeedItem, ParsedFeed

MAX_ITEMS = 5000
_PAGE = re.compile(
    r"(?:\s++|<!--.*?-->|<\?.*?\?>)*+<(?:!DOCTYPE\s+html|html|head|body|meta)\b", re.I | re.S
)
_FEED = re.compile(r"<(?:[\w.-]+:)?(?:rss|feed|RDF)[\s>]", re.IGNORECASE)


def prepare() -> None:
    """Import what parsing needs."""
    import feedparser  # noqa: F401


def parse_feed(
    data: bytes,
    content_type: str,
    base_url: str,
    timezone: str = "UTC",
    max_items: int = MAX_ITEMS,
) -> ParsedFeed:
    """Return the newest `max_items` entries of a feed, in the feed's order.

    Full content is preferred to a summary; a text is full (`is_full`) if the feed says so,
    or if its description is long.  Of entries with the same GUID only the first is kept,
    and of a feed that is cut off only the whole entries.  Dates without a zone are in
    `timezone`.  Raises `UnusableError` for anything else.
    """
    if not data.strip():
        raise UnusableError("an empty response")
    zone = ZoneInfo(timezone)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        feed = feed_json.parse(data, base_url, zone)
    else:
        text = feed_cleanup.decode_feed(data, content_type)
        if _PAGE.match(text) and not _FEED.search(text[:5000]):
            raise UnusableError(_not_a_feed(page.feed_links(data, content_type, base_url)))
        feed = feed_xml.parse(feed_cleanup.prepared(text, base_url), base_url, zone)
    notes = list(feed.notes)
    items = _unique(_newest(feed.items, max_items, notes), notes)
    return dataclasses.replace(feed, items=items, notes=tuple(notes))


def _not_a_feed(links: list[str]) -> str:
    if not links:
        return "a web page, not a feed, and it names none"
    one = "" if len(links) == 1 else "one of "
    return f"a web page, not a feed: subscribe to {one}{', '.join(links[:5])}"


def _newest(items: tuple[FeedItem, ...], limit: int, notes: list[str]) -> tuple[FeedItem, ...]:
    if len(items) <= limit:
        return items
    kept = sorted(
        items,
        key=lambda item: item.published or item.updated or feed_fields.EARLIEST,
        reverse=True,
    )
    notes.append(f"only the newest {limit:,} of its {len(items):,} entries were read")
    return tuple(kept[:limit])


def _unique(items: tuple[FeedItem, ...], notes: list[str]) -> tuple[FeedItem, ...]:
    """Return the items without a second one of any GUID, those without a GUID at the end."""
    found: dict[str, FeedItem] = {}
    without: list[FeedItem] = []
    for item in items:
        if item.guid is None:
            without.append(item)
        else:
            found.setdefault(item.guid, item)
    unique = (*found.values(), *without)
    if doubles := len(items) - len(unique):
        notes.append(
            f"{doubles:,} of {len(items):,} items left out: an earlier one has the same GUID"
        )
    return unique
