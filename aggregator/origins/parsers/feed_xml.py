"""RSS and Atom, by feedparser.  Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.articles import sanitize
from aggregator.articles.authors import author_of
from aggregator.model.errors import UnusableError
from aggregator.origins.parsers import feed_fields
from aggregator.origins.parsers.feed_cleanup import PreparedFeed
from aggregator.origins.parsers.feed_items import FeedItem, ParsedFeed
from aggregator.origins.parsers.feed_markup import NO_BASE

# A description this long is the whole text, which many feeds have there.
LONG_DESCRIPTION = 1000
_PUBLISHED = ("published", "created")
_UPDATED = ("updated",)
_PLAYED = ("audio/", "video/")


def parse(feed: PreparedFeed, base_url: str, zone: ZoneInfo) -> ParsedFeed:
    """Return the entries of a feed; raise `UnusableError` for any other document."""
    import feedparser

    parsed = feedparser.parse(
        feed.document,
        # Without a base URL: feedparser would resolve GUIDs that are not URLs against it.
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        raise UnusableError("not a feed: neither RSS nor Atom nor JSON Feed")
    notes = list(feed.notes)
    missing = feed.entries - len(parsed.entries)
    if missing > 0:
        notes.append(f"{missing:,} of {feed.entries:,} entries cannot be read")
    # The authors of an Atom feed are those of its entries (RFC 4287 §4.2.1).
    is_atom = str(parsed.version).startswith("atom")
    author = _authors(parsed.feed) if is_atom else None
    return ParsedFeed(
        feed_fields.title_of(parsed.feed.get("title_detail"), is_rss=not is_atom) or None,
        tuple(_item(entry, author, base_url, zone, is_rss=not is_atom) for entry in parsed.entries),
        tuple(notes),
        feed_fields.absolute_url(feed_fields.link_of(parsed.feed), base_url),
        feed.cadence,
    )


def _item(
    entry: Any, feed_author: str | None, base_url: str, zone: ZoneInfo, *, is_rss: bool
) -> FeedItem:
    """Return the item for an entry of feedparser."""
    parts = [part for part in entry.get("content", []) if part.get("value", "").strip()]
    contents = [part for part in parts if feed_fields.is_text(part)]
    best = next((part for part in contents if "html" in part.get("type", "")), None) or next(
        iter(contents), None
    )
    detail = best if best is not None else entry.get("summary_detail") or {}
    text = feed_fields.html_of(detail)
    base = feed_fields.absolute_url(detail.get("base"), base_url)
    if base is not None and base.endswith(NO_BASE):
        base = None
    link = feed_fields.link_of(entry)
    guid = str(entry.get("id") or "").strip() or None
    published, unreadable = _date(entry, _PUBLISHED, zone)
    updated, unreadable_update = _date(entry, _UPDATED, zone)
    return FeedItem(
        guid=guid[: feed_fields.MAX_GUID] if guid and guid != link else guid,
        link=feed_fields.absolute_url(link, base_url),
        title=feed_fields.title_of(entry.get("title_detail"), is_rss=is_rss),
        html=feed_fields.with_image(text, _images(entry, base_url, has_text=bool(text.strip()))),
        is_full=best is not None or len(sanitize.plain_text(text)) >= LONG_DESCRIPTION,
        published=published,
        updated=updated,
        unreadable_date="" if published or updated else unreadable or unreadable_update,
        author=_authors(entry) or feed_author,
        base=base,
        categories=feed_fields.categories_of(tag.get("term") for tag in entry.get("tags", [])),
        enclosures=feed_fields.enclosures_of(_enclosures(entry), base_url),
    )


def _date(entry: Any, names: tuple[str, ...], zone: ZoneInfo) -> feed_fields.Date:
    # feedparser's own `get` takes the one for the other.
    found = [(dict.get(entry, name), dict.get(entry, f"{name}_parsed")) for name in names]
    return feed_fields.date_of(found, zone)


def _authors(context: Any) -> str | None:
    return author_of(author.get("name") for author in context.get("authors", []))


def _enclosures(entry: Any) -> Iterator[tuple[object, object, object]]:
    """Yield URL, media type and length of the entry's files, and of Media RSS what is played."""
    for item in entry.get("enclosures", []):
        yield item.get("href"), item.get("type"), item.get("length")
    if isinstance(item := entry.get("enc_enclosure"), dict):  # of RSS 1.0
        yield item.get("rdf:resource"), item.get("type"), item.get("length")
    for item in entry.get("media_content", []):
        if str(item.get("type")).startswith(_PLAYED):
            yield item.get("url"), item.get("type"), item.get("filesize")


def _images(entry: Any, base: str, *, has_text: bool) -> Iterator[str]:
    """Yield the URLs of the entry's pictures, the best one first."""
    pictures = [part for part in entry.get("media_content", []) if feed_fields.is_picture(part)]
    for found in (pictures, entry.get("media_thumbnail", [])):
        for part in sorted(found, key=feed_fields.width_of, reverse=True):
            yield from feed_fields.web_url(part.get("url"), base)
    for part in entry.get("content", []):
        if str(part.get("type")).startswith("image/"):
            yield from feed_fields.web_url(part.get("src"), base)
    yield from feed_fields.web_url((entry.get("image") or {}).get("href"), base)
    if not has_text:
        for part in entry.get("enclosures", []):
            if feed_fields.is_picture(part):
                yield from feed_fields.web_url(part.get("href"), base)
