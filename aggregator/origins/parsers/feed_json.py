"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/).  Pure."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from aggregator.articles import sanitize
from aggregator.articles.authors import author_of
from aggregator.articles.titles import one_line
from aggregator.model.errors import UnusableError
from aggregator.origins.parsers import feed_fields, json_body
from aggregator.origins.parsers.feed_items import FeedItem, ParsedFeed

_VERSIONS = (
    "https://jsonfeed.org/version/",
    "http://jsonfeed.org/version/",
    "https://www.jsonfeed.org/version/",
)


def parse(data: bytes, base_url: str, zone: ZoneInfo) -> ParsedFeed:
    """Return the items of a JSON Feed; raise `UnusableError` for any other document."""
    found = json_body.load(data)
    feed = found if isinstance(found, dict) else {}
    items = feed.get("items")
    if not isinstance(items, list) or not str(feed.get("version")).startswith(_VERSIONS):
        raise UnusableError("JSON, but not a JSON Feed")
    author = _authors(feed)
    read = tuple(_item(item, author, base_url, zone) for item in items if isinstance(item, dict))
    bad = len(items) - len(read)
    return ParsedFeed(
        _text(feed, "title")[:1000] or None,
        read,
        (f"{bad:,} of {len(items):,} items left out: not JSON objects",) if bad else (),
        feed_fields.absolute_url(_text(feed, "home_page_url"), base_url),
    )


def _item(item: dict[str, Any], feed_author: str | None, base_url: str, zone: ZoneInfo) -> FeedItem:
    """Return the item for an item of a JSON Feed."""
    link = _text(item, "url") or _text(item, "external_url")
    body = _text(item, "content_html") or feed_fields.paragraphs(_text(item, "content_text"))
    attachments = _objects(item.get("attachments"))
    tags = item.get("tags")
    published, unreadable = feed_fields.date_of([(_text(item, "date_published"), None)], zone)
    updated, unreadable_update = feed_fields.date_of([(_text(item, "date_modified"), None)], zone)
    images = [
        image
        for name in ("image", "banner_image")
        for image in feed_fields.web_url(_text(item, name), base_url)
    ]
    return FeedItem(
        guid=_text(item, "id")[: feed_fields.MAX_GUID] or None,
        link=feed_fields.absolute_url(link, base_url),
        title=one_line(_text(item, "title")),
        html=feed_fields.with_image(body or feed_fields.paragraphs(_text(item, "summary")), images),
        is_full=bool(body),
        published=published,
        updated=updated,
        unreadable_date="" if published or updated else unreadable or unreadable_update,
        author=_authors(item) or feed_author,
        categories=feed_fields.categories_of(map(_as_text, tags) if isinstance(tags, list) else ()),
        enclosures=feed_fields.enclosures_of(
            (
                (part.get("url"), part.get("mime_type"), part.get("size_in_bytes"))
                for part in attachments
            ),
            base_url,
        ),
    )


def _authors(value: dict[str, Any]) -> str | None:
    """Return the names of the authors; version 1.0 has one `author`."""
    authors = [*_objects(value.get("authors")), *_objects([value.get("author")])]
    return author_of(author.get("name") for author in authors)


def _objects(value: object) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _text(value: dict[str, Any], name: str) -> str:
    return _as_text(value.get(name)).strip()


def _as_text(value: object) -> str:
    """Return a text, empty for anything else.  Some feeds write numbers where text belongs."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return sanitize.without_forbidden(value) if isinstance(value, str) else ""
