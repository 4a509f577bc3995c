"""FeedDocument ↔ Atom 1.0 (RFC 4287), written by feedgen."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator import __version__
from aggregator.content import without_forbidden
from aggregator.model import Entry, FeedDocument, FeedOrigin

GENERATOR = "aggregator"
MAX_FEED = 200_000_000
_ATOM = "{http://www.w3.org/2005/Atom}"


def render(document: FeedDocument) -> bytes:
    """The feed as UTF-8 XML.  Characters that XML has no place for are left out."""
    feed = FeedGenerator()
    feed.id(document.id)
    feed.title(_safe(document.title))
    if document.subtitle:
        feed.subtitle(_safe(document.subtitle))
    feed.updated(document.updated)
    feed.language(document.language)
    feed.author(name=_safe(document.author))
    feed.link(href=document.self_url, rel="self", type="application/atom+xml")
    feed.link(href=_safe(document.alternate), rel="alternate", type="text/html")
    feed.generator(GENERATOR, version=__version__)
    if document.icon:
        feed.icon(document.icon)
    if document.logo:
        feed.logo(document.logo)
    for entry in document.entries:
        element = FeedEntry()
        element.id(entry.id)
        element.title(_safe(entry.title))
        element.published(entry.published)
        element.updated(entry.updated)
        element.author(name=_safe(entry.source.name))
        element.category(term=entry.source.slug, label=_safe(entry.source.name))
        for category in entry.categories:
            element.category(term=_safe(category))
        element.content(_safe(entry.content) or " ", type="html")
        element.register_extension("beyond_feedgen", _BeyondFeedgen, atom=True, rss=False)
        element.beyond_feedgen.describe(entry, document.origins.get(entry.source.key))
        feed.add_entry(element, order="append")
    return bytes(feed.atom_str(pretty=True)) + b"\n"


def read_dates(data: bytes) -> Iterator[tuple[str, datetime.datetime, datetime.datetime]]:
    """Id, published and updated of every entry of a feed that was written here.

    Entries that cannot be read are passed over; so is the rest of a torn document.
    """
    parser = etree.XMLPullParser(
        events=("end",), tag=f"{_ATOM}entry", resolve_entities=False, no_network=True, recover=True
    )
    try:
        parser.feed(data[:MAX_FEED])
        parser.close()
    except etree.XMLSyntaxError:
        pass  # what came before the error has been parsed
    for _, element in parser.read_events():
        values = [element.findtext(_ATOM + name) for name in ("id", "published", "updated")]
        try:
            identifier, published, updated = values
            if identifier and published and updated:
                yield (
                    identifier,
                    datetime.datetime.fromisoformat(published).astimezone(datetime.UTC),
                    datetime.datetime.fromisoformat(updated).astimezone(datetime.UTC),
                )
        except ValueError:
            continue


class _BeyondFeedgen(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen 1.0 leaves out of an entry.

    It forgets the relation and the type of links, and its `source` has no id.
    """

    def __init__(self) -> None:
        self._entry: Entry | None = None
        self._origin: FeedOrigin | None = None

    def describe(self, entry: Entry, origin: FeedOrigin | None) -> None:
        """Set the entry, and the feed that it is from if that is another one."""
        self._entry, self._origin = entry, origin

    def extend_atom(self, element: Any) -> Any:
        """Add links (RFC 4287 §4.2.7) and source (§4.2.11) to the entry's element."""
        if self._entry is not None:
            alternate, via = self._entry.alternate, self._entry.via
            _add(element, "link", href=alternate, rel="alternate", type="text/html")
            if via is not None:
                _add(element, "link", href=via, rel="via", type="text/html")
            for enclosure in self._entry.enclosures:
                attributes = {"href": enclosure.url, "rel": "enclosure"}
                if enclosure.media_type:
                    attributes["type"] = enclosure.media_type
                if enclosure.length is not None:
                    attributes["length"] = str(enclosure.length)
                _add(element, "link", **attributes)
        if self._origin is not None:
            source = _add(element, "source")
            _add(source, "id").text = self._origin.id
            _add(source, "title").text = _safe(self._origin.title)
            _add(source, "updated").text = self._origin.updated.isoformat()
            address = self._origin.self_url
            _add(source, "link", href=address, rel="self", type="application/atom+xml")
        return element


def _add(parent: Any, name: str, **attributes: str) -> Any:
    return etree.SubElement(parent, name, {key: _safe(value) for key, value in attributes.items()})


def _safe(text: str) -> str:
    return without_forbidden(text)
