"""The bytes of an upstream feed → its entries.  Pure; meant to be run confined.

RSS 0.9x to 2.0 and Atom 0.3 and 1.0 by feedparser, JSON Feed 1.0 and 1.1 by hand.
HTML is not sanitised here: whatever is published goes through `content.clean` first.
"""

from __future__ import annotations

import calendar
import datetime
import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from aggregator.articles import dates, sanitize
from aggregator.model import Enclosure
from aggregator.model.errors import UnusableError
from aggregator.origins.parsers import feed_cleanup, json_feed

MAX_ITEMS = 5000
MAX_TITLE = 1000
MAX_GUID = 2000
# A description this long is no teaser: many feeds have the whole text in it.
LONG_DESCRIPTION = 1000
_EARLIEST = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC)
_LATEST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
_DATES = ("published", "updated", "created")
_Date = tuple[datetime.datetime | None, str]
# RFC 822, and what of ISO 8601 is less than a day.
_OF_FEEDS = re.compile(
    r"\d{4}(?:-\d{2})?|.*\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*",
    re.IGNORECASE | re.ASCII,
)
_MAX_STYLE = 2000
_LONG_STYLE = re.compile(
    rf"\sstyle\s*=\s*(?:\"[^\"]{{{_MAX_STYLE},}}+\"|'[^']{{{_MAX_STYLE},}}+')", re.IGNORECASE
)
_WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry.  `unread_date` is a date as it is written, where it cannot be read."""

    guid: str | None
    link: str | None
    title: str
    html: str
    is_full: bool
    published: datetime.datetime | None = None
    unread_date: str = ""
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed's title and entries, and remarks for the user on what was left out."""

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
    """The entries of a feed, the newest `max_items` of them, in the feed's order.

    Full content goes before a summary; a text is full (`is_full`) if the feed says so,
    or if its description is long.  Of entries with the same GUID the first counts, and
    of a feed that is cut off the whole entries.  Dates that name no zone are in
    `timezone`.  Raises `UnusableError` for no feed.
    """
    if not data.strip():
        raise UnusableError("an empty answer")
    zone = ZoneInfo(timezone)
    notes: list[str] = []
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        title, found = json_feed.read(data)
        items = [_of_json(item, base_url, zone) for item in found if isinstance(item, dict)]
        if len(items) < len(found):
            notes.append(f"{len(found) - len(items):,} items that are none")
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
        # Without an address: against one, feedparser resolves GUIDs that are none.
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        raise UnusableError("no feed: neither RSS nor Atom nor JSON Feed")
    title = _plain(parsed.feed.get("title_detail")) or None
    return title, list(parsed.entries)


def _of_entry(entry: Any, base_url: str, zone: ZoneInfo) -> FeedItem:
    """An entry of feedparser's."""
    contents = [item for item in entry.get("content", []) if item.get("value", "").strip()]
    summary = entry.get("summary_detail") or {}
    best = next((item for item in contents if "html" in item.get("type", "")), None) or next(
        iter(contents), None
    )
    text = _html(best if best is not None else summary)
    link = _link(entry)
    guid = str(entry.get("id") or "").strip() or None
    published, unread_date = _date(
        (entry.get(name) for name in _DATES),
        (entry.get(f"{name}_parsed") for name in _DATES),
        zone,
    )
    return FeedItem(
        guid=guid[:MAX_GUID] if guid and guid != link else guid,
        link=_absolute(link, base_url),
        title=_plain(entry.get("title_detail")),
        html=text,
        is_full=best is not None or len(sanitize.plain_text(text)) >= LONG_DESCRIPTION,
        published=published,
        unread_date=unread_date,
        categories=_words(tag.get("term") for tag in entry.get("tags", [])),
        enclosures=_enclosures(
            (
                (item.get("href"), item.get("type"), item.get("length"))
                for item in entry.get("enclosures", [])
            ),
            base_url,
        ),
    )


def _of_json(item: dict[str, Any], base_url: str, zone: ZoneInfo) -> FeedItem:
    """An item of a JSON Feed (https://www.jsonfeed.org/version/1.1/)."""

    def text(name: str) -> str:
        return json_feed.text(item.get(name)).strip()

    link = text("url") or text("external_url")
    body = text("content_html") or _paragraphs(text("content_text"))
    attachments = item.get("attachments")
    tags = item.get("tags")
    written = (text("date_published"), text("date_modified"))
    published, unread_date = _date(written, (None, None), zone)
    return FeedItem(
        guid=text("id")[:MAX_GUID] or None,
        link=_absolute(link, base_url),
        title=_clipped(text("title")),
        html=body or _paragraphs(text("summary")),
        is_full=bool(body),
        published=published,
        unread_date=unread_date,
        categories=_words(map(json_feed.text, tags) if isinstance(tags, list) else ()),
        enclosures=_enclosures(
            (
                (part.get("url"), part.get("mime_type"), part.get("size_in_bytes"))
                for part in (attachments if isinstance(attachments, list) else ())
                if isinstance(part, dict)
            ),
            base_url,
        ),
    )


def _link(entry: Any) -> str | None:
    """The entry's page: its alternate link, else a GUID that is one."""
    for link in entry.get("links", []):
        if link.get("rel") == "alternate" and link.get("href"):
            return str(link["href"]).strip()
    link = str(entry.get("link") or "").strip()
    if link:
        return link
    guid = str(entry.get("id") or "").strip()
    return guid if entry.get("guidislink") and guid.startswith(_WEB) else None


def _absolute(link: str | None, base_url: str) -> str | None:
    """A web address, None for what is none."""
    if not link:
        return None
    try:
        absolute = urljoin(base_url, link)
    except ValueError:
        return None
    return absolute if absolute.startswith(_WEB) else None


def _html(detail: Any) -> str:
    """The HTML of a text construct (RFC 4287 §3.1)."""
    value = sanitize.without_forbidden(str(detail.get("value", "")))
    if len(value) > _MAX_STYLE:
        # No style is kept, and a tag as long as this would be refused.
        value = _LONG_STYLE.sub("", value)
    return _paragraphs(value) if detail.get("type") == "text/plain" else value


def _paragraphs(text: str) -> str:
    lines = [line for line in re.split(r"\s*\n\s*", text.strip()) if line]
    return "\n".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines)


def _plain(detail: Any) -> str:
    """A text construct as one line of plain text."""
    if not detail:
        return ""
    value = sanitize.without_forbidden(str(detail.get("value", "")))[: 10 * MAX_TITLE]
    if detail.get("type") != "text/plain":
        value = sanitize.plain_text(value)
    return _clipped(value)


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_TITLE else text[:MAX_TITLE].rstrip() + "…"


def _words(values: Iterable[object]) -> tuple[str, ...]:
    words = (
        " ".join(sanitize.without_forbidden(value).split())[:100]
        for value in values
        if isinstance(value, str)
    )
    return tuple(dict.fromkeys(word for word in words if word))[:20]


def _enclosures(
    parts: Iterable[tuple[object, object, object]], base_url: str
) -> tuple[Enclosure, ...]:
    found = []
    for url, kind, length in parts:
        address = _absolute(url.strip(), base_url) if isinstance(url, str) else None
        if address is None:
            continue
        kind = sanitize.without_forbidden(kind).strip()[:100] if isinstance(kind, str) else None
        digits = str(length).strip() if isinstance(length, str | int) else ""
        found.append(
            Enclosure(
                address,
                kind or None,
                int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None,
            )
        )
    return tuple(found[:20])


def _date(texts: Iterable[object], parsed: Iterable[Any], zone: ZoneInfo) -> _Date:
    """The first of an entry's dates that can be true, and else one that can't be read."""
    unread = ""
    for text, moment in zip(texts, parsed, strict=True):
        written = _clipped(sanitize.without_forbidden(text))[:100] if isinstance(text, str) else ""
        if not written:
            continue
        if _OF_FEEDS.fullmatch(written):
            found = _instant(moment)
        else:
            # Of other forms feedparser makes any date: it reads 2022/1/27 as 1 November.
            found = dates.parse_date(written, zone)
        if found is not None and _EARLIEST <= found <= _LATEST:
            return found, ""
        unread = unread or ("" if found is not None else written)
    return None, unread


def _instant(parsed: Any) -> datetime.datetime | None:
    """A date as feedparser gives it, a time tuple in UTC."""
    if parsed is None:
        return None
    try:
        return datetime.datetime.fromtimestamp(calendar.timegm(parsed), datetime.UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _newest(items: list[FeedItem], limit: int, notes: list[str]) -> list[FeedItem]:
    if len(items) <= limit:
        return items
    by_date: Callable[[FeedItem], datetime.datetime] = lambda item: item.published or _EARLIEST  # noqa: E731
    kept = sorted(items, key=by_date, reverse=True)[:limit]
    notes.append(f"only the newest {limit:,} of its {len(items):,} entries were read")
    return kept


def _unique(items: Iterable[FeedItem], notes: list[str]) -> list[FeedItem]:
    found: dict[str, FeedItem] = {}
    without: list[FeedItem] = []
    doubles = 0
    for item in items:
        if item.guid is None:
            without.append(item)
        elif item.guid in found:
            doubles += 1
        else:
            found[item.guid] = item
    if doubles:
        notes.append(f"{doubles:,} entries with the GUID of another: the first counts")
    return [*found.values(), *without]
