"""The bytes of an upstream feed → its entries.  Pure; meant to run in the sandbox.

RSS 0.9x to 2.0 and Atom 0.3 and 1.0 by feedparser, JSON Feed 1.0 and 1.1 by hand.
HTML is not sanitized here: whatever is published goes through `sanitize.sanitize` first.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.articles import sanitize
from aggregator.articles.titles import one_line
from aggregator.model.articles import Enclosure
from aggregator.model.errors import UnusableError
from aggregator.origins.parsers import feed_cleanup, feed_fields, json_body

MAX_ITEMS = 5000
MAX_GUID = 2000
# A description this long is the whole text, which many feeds have there.
LONG_DESCRIPTION = 1000
_JSON_FEEDS = (
    "https://jsonfeed.org/version/",
    "http://jsonfeed.org/version/",
    "https://www.jsonfeed.org/version/",
)
_DATES = ("published", "updated", "created")


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry.  `unreadable_date` is the text of a date that cannot be read."""

    guid: str | None
    link: str | None
    title: str
    html: str
    is_full: bool
    published: datetime.datetime | None = None
    unreadable_date: str = ""
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed's title and entries, and notes for the user on what was left out."""

    title: str | None
    items: tuple[FeedItem, ...]
    notes: tuple[str, ...] = ()


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
    notes: list[str] = []
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        title, found = _read_json(data)
        items = [_of_json(item, base_url, zone) for item in found if isinstance(item, dict)]
        if len(items) < len(found):
            notes.append(
                f"{len(found) - len(items):,} of {len(found):,} items left out: not JSON objects"
            )
    else:
        document, is_cut = feed_cleanup.prepared(data, content_type)
        title, entries = _parse(document)
        if is_cut:
            notes.append("it is cut off: only whole entries were read")
        items = [_of_entry(entry, base_url, zone) for entry in entries]
    items = _newest(items, max_items, notes)
    return ParsedFeed(title, tuple(_unique(items, notes)), tuple(notes))


def _parse(document: bytes) -> tuple[str | None, list[Any]]:
    import feedparser

    parsed = feedparser.parse(
        document,
        # Without a base URL: feedparser would resolve GUIDs that are not URLs against it.
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        raise UnusableError("not a feed: neither RSS nor Atom nor JSON Feed")
    title = feed_fields.title_of(parsed.feed.get("title_detail")) or None
    return title, list(parsed.entries)


def _of_entry(entry: Any, base_url: str, zone: ZoneInfo) -> FeedItem:
    """Return the item for an entry of feedparser."""
    contents = [item for item in entry.get("content", []) if item.get("value", "").strip()]
    summary = entry.get("summary_detail") or {}
    best = next((item for item in contents if "html" in item.get("type", "")), None) or next(
        iter(contents), None
    )
    text = feed_fields.html_of(best if best is not None else summary)
    link = feed_fields.link_of(entry)
    guid = str(entry.get("id") or "").strip() or None
    published, unreadable_date = feed_fields.date_of(
        (entry.get(name) for name in _DATES),
        (entry.get(f"{name}_parsed") for name in _DATES),
        zone,
    )
    return FeedItem(
        guid=guid[:MAX_GUID] if guid and guid != link else guid,
        link=feed_fields.absolute_url(link, base_url),
        title=feed_fields.title_of(entry.get("title_detail")),
        html=text,
        is_full=best is not None or len(sanitize.plain_text(text)) >= LONG_DESCRIPTION,
        published=published,
        unreadable_date=unreadable_date,
        categories=feed_fields.categories_of(tag.get("term") for tag in entry.get("tags", [])),
        enclosures=feed_fields.enclosures_of(
            (
                (item.get("href"), item.get("type"), item.get("length"))
                for item in entry.get("enclosures", [])
            ),
            base_url,
        ),
    )


def _read_json(data: bytes) -> tuple[str | None, list[object]]:
    """Return the title and the items of a JSON Feed (https://www.jsonfeed.org/version/1.1/)."""
    found = json_body.load(data)
    document = found if isinstance(found, dict) else {}
    items = document.get("items")
    if not isinstance(items, list) or not str(document.get("version")).startswith(_JSON_FEEDS):
        raise UnusableError("JSON, but not a JSON Feed")
    return _json_text(document.get("title"))[:1000] or None, items


def _json_text(value: object) -> str:
    """Return a text, empty for anything else.  Some feeds write numbers where text belongs."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return sanitize.without_forbidden(value) if isinstance(value, str) else ""


def _of_json(item: dict[str, Any], base_url: str, zone: ZoneInfo) -> FeedItem:
    """Return the item for an item of a JSON Feed."""

    def text(name: str) -> str:
        return _json_text(item.get(name)).strip()

    link = text("url") or text("external_url")
    body = text("content_html") or feed_fields.paragraphs(text("content_text"))
    attachments = item.get("attachments")
    tags = item.get("tags")
    written = (text("date_published"), text("date_modified"))
    published, unreadable_date = feed_fields.date_of(written, (None, None), zone)
    return FeedItem(
        guid=text("id")[:MAX_GUID] or None,
        link=feed_fields.absolute_url(link, base_url),
        title=one_line(text("title")),
        html=body or feed_fields.paragraphs(text("summary")),
        is_full=bool(body),
        published=published,
        unreadable_date=unreadable_date,
        categories=feed_fields.categories_of(
            map(_json_text, tags) if isinstance(tags, list) else ()
        ),
        enclosures=feed_fields.enclosures_of(
            (
                (part.get("url"), part.get("mime_type"), part.get("size_in_bytes"))
                for part in (attachments if isinstance(attachments, list) else ())
                if isinstance(part, dict)
            ),
            base_url,
        ),
    )


def _newest(items: list[FeedItem], limit: int, notes: list[str]) -> list[FeedItem]:
    if len(items) <= limit:
        return items
    kept = sorted(items, key=lambda item: item.published or feed_fields.EARLIEST, reverse=True)[
        :limit
    ]
    notes.append(f"only the newest {limit:,} of its {len(items):,} entries were read")
    return kept


def _unique(items: list[FeedItem], notes: list[str]) -> list[FeedItem]:
    """Return the items without a second one of any GUID, those without a GUID at the end."""
    found: dict[str, FeedItem] = {}
    without: list[FeedItem] = []
    for item in items:
        if item.guid is None:
            without.append(item)
        else:
            found.setdefault(item.guid, item)
    unique = [*found.values(), *without]
    if doubles := len(items) - len(unique):
        notes.append(
            f"{doubles:,} of {len(items):,} items left out: an earlier one has the same GUID"
        )
    return unique
