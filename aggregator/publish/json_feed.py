"""FeedDocument → JSON Feed 1.1."""

from __future__ import annotations

import json
from typing import Any

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import Entry, FeedDocument, FeedOrigin
from aggregator.publish.also_reported import content

VERSION = "https://jsonfeed.org/version/1.1"


def render(document: FeedDocument) -> bytes:
    """Return the feed as UTF-8 JSON, one item a line."""
    head: dict[str, Any] = {
        "version": VERSION,
        "title": document.title,
        "home_page_url": document.alternate,
        "feed_url": document.urls["json"],
        "description": document.subtitle,
        "icon": document.logo,
        "favicon": document.icon,
        "authors": [{"name": document.author}],
        "language": document.language,
        "hubs": [{"type": "WebSub", "url": hub} for hub in document.hubs],
    }
    items = [_item(entry, document) for entry in document.entries]
    start = _dump(_filled(head)).removesuffix("}")
    lines = ",\n".join(items)
    return f'{start}, "items": [\n{lines}\n]}}\n'.encode()


def _item(entry: Entry, document: FeedDocument) -> str:
    origin, is_excerpt = document.origins.get(entry.source.key), document.is_excerpt
    item: dict[str, Any] = {
        "id": entry.id,
        "url": entry.alternate,
        "external_url": entry.via if entry.via != entry.alternate else None,
        "title": entry.title,
        "summary": "" if is_excerpt else entry.summary,
        "content_text": (entry.summary or entry.title) if is_excerpt else "",
        "image": entry.image.url if entry.image is not None else None,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "authors": [_author(entry, origin)],
        "tags": [*([entry.source.name] if entry.source.key else ()), *entry.categories],
        "attachments": [
            _filled(
                {
                    "url": enclosure.url,
                    "mime_type": enclosure.media_type or "application/octet-stream",
                    "size_in_bytes": enclosure.length,
                }
            )
            for enclosure in entry.enclosures
        ],
        "_aggregator": _extension(entry),
    }
    if is_excerpt:
        return _dump(_filled(item))
    # Sanitized already: nothing forbidden has to be removed from the longest text.
    html = json.dumps(content(entry, document.language) or " ", ensure_ascii=False)
    return f'{_dump(_filled(item)).removesuffix("}")}, "content_html": {html}}}'


def _extension(entry: Entry) -> dict[str, Any] | None:
    """Return what JSON Feed has no key for: other entries that tell the same story."""
    if not entry.related:
        return None
    return {
        "also_reported_by": [
            {"name": other.source, "title": other.title, "url": other.url}
            for other in entry.related
        ],
    }


def _author(entry: Entry, origin: FeedOrigin | None) -> dict[str, Any]:
    """Return the author; where that is the source, its feed is the URL."""
    url = origin.urls.get("json") if origin and entry.author == entry.source.name else None
    return _filled({"name": entry.author, "url": url})


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values without the empty ones."""
    return {key: value for key, value in values.items() if value not in (None, [], "")}


def _dump(value: object) -> str:
    return without_forbidden(json.dumps(value, ensure_ascii=False))
