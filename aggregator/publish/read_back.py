"""Published feeds → the ids, dates and texts of their entries."""

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


class Dated(NamedTuple):
    """An entry's id and dates."""

    id: str
    published: datetime.datetime
    updated: datetime.datetime


def dated_entries(data: bytes, ending: str) -> Iterator[Dated]:
    """Yield the id and the dates of every entry, in their order.

    `ending` is that of the file.  Skips entries that cannot be read, and the rest of a torn
    document.
    """
    found = _READERS[ending](data[:MAX_FEED])
    for identifier, published, updated in found:
        try:
            if identifier and published and updated:
                yield Dated(identifier, _utc(published), _utc(updated))
        except (TypeError, ValueError):
            continue


def _atom(data: bytes) -> Iterator[tuple[Any, Any, Any]]:
    for element in _elements(data, _ATOM + "entry"):
        names = ("id", "published", "updated")
        identifier, published, updated = (element.findtext(_ATOM + name) for name in names)
        yield identifier, published, updated


def _rss(data: bytes) -> Iterator[tuple[Any, Any, Any]]:
    for element in _elements(data, "item"):
        yield (
            element.findtext("guid"),
            element.findtext("pubDate"),
            element.findtext(_ATOM + "updated"),
        )


def _json(data: bytes) -> Iterator[tuple[Any, Any, Any]]:
    for item in _items(data):
        yield item.get("id"), item.get("date_published"), item.get("date_modified")


def _items(data: bytes) -> Iterator[dict[str, Any]]:
    try:
        text = data.decode("utf-8")
        check_json(text)
        items = json.loads(text)["items"]
    except (ValueError, KeyError, TypeError):
        return
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield item


def _elements(data: bytes, tag: str) -> Iterator[Any]:
    parser = etree.XMLPullParser(
        events=("end",), tag=tag, resolve_entities=False, no_network=True, recover=True
    )
    try:
        parser.feed(data)
        parser.close()
    except etree.XMLSyntaxError:
        pass  # what came before the error has been parsed
    for _, element in parser.read_events():
        yield element


_READERS = {".atom": _atom, ".rss": _rss, ".json": _json}
# Of the files that can be read back.
ENDINGS = frozenset(_READERS)


def _utc(text: str) -> datetime.datetime:
    moment = (
        parsedate_to_datetime(text) if "," in text[:5] else datetime.datetime.fromisoformat(text)
    )
    return moment.astimezone(datetime.UTC)


def entry_texts(data: bytes, ending: str) -> Iterator[tuple[str, str]]:
    """Yield the id and the HTML of every entry that has both; `ending` is that of the file."""
    data = data[:MAX_FEED]
    found: Iterator[tuple[Any, Any]]
    if ending == ".json":
        found = ((item.get("id"), item.get("content_html")) for item in _items(data))
    elif ending == ".rss":
        found = (
            (element.findtext("guid"), element.findtext(_ENCODED))
            for element in _elements(data, "item")
        )
    else:
        found = (
            (element.findtext(_ATOM + "id"), element.findtext(_ATOM + "content"))
            for element in _elements(data, _ATOM + "entry")
        )
    for identifier, html in found:
        if isinstance(identifier, str) and isinstance(html, str) and html.strip():
            yield identifier, html
