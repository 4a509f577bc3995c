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
from aggregator.model import FeedDocument, FeedOrigin

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
        element.link(href=_safe(entry.alternate), rel="alternate", type="text/html")
        if entry.via is not None:
            element.link(href=_safe(entry.via), rel="via")
        element.category(term=entry.source.slug, label=_safe(entry.source.name))
        for category in entry.categories:
            element.category(term=_safe(category))
        element.content(_safe(entry.content) or " ", type="html")
        origin = document.origins.get(entry.source.key)
        if origin is not None:
            element.register_extension("atom_source", _SourceElement, atom=True, rss=False)
            element.atom_source.describe(origin)
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


class _SourceElement(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """`atom:source` with all that RFC 4287 §4.2.11 asks for; feedgen's own has no id."""

    def __init__(self) -> None:
        self._origin: FeedOrigin | None = None

    def describe(self, origin: FeedOrigin) -> None:
        """Set the feed that the entry is from."""
        self._origin = origin

    def extend_atom(self, entry: Any) -> Any:
        """Add the element to the entry's."""
        if self._origin is not None:
            source = etree.SubElement(entry, "source")
            etree.SubElement(source, "id").text = self._origin.id
            etree.SubElement(source, "title").text = _safe(self._origin.title)
            etree.SubElement(source, "updated").text = self._origin.updated.isoformat()
            etree.SubElement(
                source, "link", href=self._origin.self_url, rel="self", type="application/atom+xml"
            )
        return entry


def _safe(text: str) -> str:
    return without_forbidden(text)
