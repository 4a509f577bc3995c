"""Published feeds → their entries."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from lxml import etree

from aggregator.model.nesting import check_json

MAX_FEED = 200_000_000
_ATOM = "{http://www.w3.org/2005/Atom}"
_ENCODED = "{http://purl.org/rss/1.0/modules/content/}encoded"
# Tags in each format: of an entry, its id, its dates and its text.
_XML_TAGS = {
    ".atom": tuple(_ATOM + name for name in ("entry", "id", "published", "updated", "content")),
    ".rss": ("item", "guid", "pubDate", _ATOM + "updated", _ENCODED),
}
_JSON_KEYS = ("id", "date_published", "date_modified", "content_html", "url")
# Of the files that can be read back.
EXTENSIONS = frozenset([*_XML_TAGS, ".json"])


class PublishedEntry(NamedTuple):
    """An entry of a published feed; a date is None if it cannot be read.

    `url` is that of its page.
    """

    id: str
    published: datetime.datetime | None
    updated: datetime.datetime | None
    html: str
    url: str = ""


def published_entries(data: bytes, extension: str) -> Iterator[PublishedEntry]:
    """Yield the entries of a file with this extension, in their order.

    Skips those without an id, and the rest of a torn document.
    """
    read = _json if extension == ".json" else _xml
    for identifier, published, updated, html, url in read(data[:MAX_FEED], extension):
        if identifier and isinstance(identifier, str):
            yield PublishedEntry(
                identifier, _utc(published), _utc(updated), _text(html), _text(url)
            )


def _json(data: bytes, _extension: str) -> Iterator[tuple[Any, ...]]:
    try:
        text = data.decode("utf-8")
        check_json(text)
        items = json.loads(text)["items"]
    except (ValueError, KeyError, TypeError):
        return
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield tuple(item.get(key) for key in _JSON_KEYS)


def _xml(data: bytes, extension: str) -> Iterator[tuple[Any, ...]]:
    tag, *names = _XML_TAGS[extension]
    parser = etree.XMLPullParser(
        events=("end",), tag=tag, resolve_entities=False, no_network=True, recover=True
    )
    try:
        parser.feed(data)
        parser.close()
    except etree.XMLSyntaxError:
        pass  # what came before the error has been parsed
    for _, element in parser.read_events():
        link = element.find(f"{_ATOM}link[@rel='alternate']")
        url = element.findtext("link") if link is None else link.get("href")
        yield (*(element.findtext(name) for name in names), url)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _utc(text: Any) -> datetime.datetime | None:
    """Return a date of RFC 3339 or RFC 822 in UTC."""
    if not isinstance(text, str):
        return None
    parse = parsedate_to_datetime if "," in text[:5] else datetime.datetime.fromisoformat
    try:
        return parse(text).astimezone(datetime.UTC)
    except (TypeError, ValueError, OverflowError):
        return None
