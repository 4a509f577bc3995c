"""FeedDocument → Atom 1.0 (RFC 4287).

feedgen writes the head.  Entries are written here: feedgen 1.0 drops the relation and type of
their links and has no id of a source, and it would make a first build 8 % slower.
"""

from __future__ import annotations

import datetime

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import Entry, FeedDocument, FeedOrigin
from aggregator.model.formats import FORMATS
from aggregator.publish.also_reported import content
from aggregator.publish.head import make_head, title_link, with_entries
from aggregator.publish.xml import (
    address,
    element,
    media_elements,
    text_construct,
    text_element,
)

MEDIA_TYPE = FORMATS["atom"].media_type


def render(document: FeedDocument) -> bytes:
    """Return the feed as UTF-8 XML, without characters that XML does not allow."""
    feed = make_head(document, "atom")
    feed.id(document.id)
    if document.subtitle:
        feed.subtitle(without_forbidden(document.subtitle))
    feed.updated(document.updated)
    feed.author(name=without_forbidden(document.author))
    feed.link(href=without_forbidden(document.alternate), rel="alternate", type="text/html")
    if document.icon:
        feed.icon(document.icon)
    if document.logo:
        feed.logo(document.logo)
    entries = [_entry(entry, document) for entry in document.entries]
    return with_entries(feed.atom_str(pretty=True), entries, document, "atom")


def _entry(entry: Entry, document: FeedDocument) -> str:
    """Return an entry of a document (RFC 4287 §4.1.2)."""
    source = entry.source
    alternate = address(entry.alternate)
    parts = [
        element("id", entry.id),
        text_construct("title", entry.title),
        *title_link(document, entry.title, alternate),
        element("updated", entry.updated.isoformat()),
        element("published", entry.published.isoformat()),
        f"<author>{element('name', entry.author)}</author>",
        *([element("category", term=source.slug, label=source.name)] if source.key else ()),
        *(element("category", term=category) for category in entry.categories),
        element("link", href=alternate, rel="alternate", type="text/html"),
    ]
    if entry.via is not None:
        parts.append(element("link", href=address(entry.via), rel="via", type="text/html"))
    for enclosure in entry.enclosures:
        attributes = {"href": address(enclosure.url), "rel": "enclosure"}
        if enclosure.media_type:
            attributes["type"] = enclosure.media_type
        if enclosure.length is not None:
            attributes["length"] = str(enclosure.length)
        parts.append(element("link", **attributes))
    for other in entry.related:
        link = address(other.url)
        parts.append(element("link", href=link, rel="related", type="text/html", title=other.title))
    origin = document.origins.get(source.key)
    if origin is not None:
        parts.append(_source(origin, origin.updated or entry.updated))
    # Without content, an entry needs a summary to have any text.
    summary = entry.summary or (entry.title if document.is_excerpt else "")
    if summary:
        parts.append(text_construct("summary", summary))
    if entry.image is not None:
        parts += media_elements(entry.image)
    if not document.is_excerpt:
        parts.append(text_element('content type="html"', content(entry, document.language) or " "))
    return "  <entry>\n    " + "\n    ".join(parts) + "\n  </entry>"


def _source(origin: FeedOrigin, updated: datetime.datetime) -> str:
    """Return the element `source` (RFC 4287 §4.2.11)."""
    address = origin.urls.get("atom")
    link = element("link", href=address, rel="self", type=MEDIA_TYPE) if address else ""
    return (
        f"<source>{element('id', origin.id)}{text_construct('title', origin.title)}"
        f"{element('updated', updated.isoformat())}{link}</source>"
    )
