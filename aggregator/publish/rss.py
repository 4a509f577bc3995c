"""FeedDocument → RSS 2.0, by the RSS Advisory Board's profile.

feedgen writes the head of the channel.  Items are written here, as in publish/atom.py.
"""

from __future__ import annotations

from email.utils import format_datetime
from html import escape

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import Entry, FeedDocument
from aggregator.publish.also_reported import content
from aggregator.publish.head import make_head, title_link, with_entries
from aggregator.publish.xml import (
    address,
    element,
    media_elements,
    profiled,
    text_element,
    text_or_html,
)

# How long a reader may cache a feed, in minutes.
TIME_TO_LIVE = 15


def render(document: FeedDocument) -> bytes:
    """Return the feed as UTF-8 XML, without characters that XML does not allow."""
    feed = make_head(document, "rss")
    feed.load_extension("dc", atom=False)
    feed.link(href=without_forbidden(document.alternate), rel="alternate")
    feed.description(without_forbidden(text_or_html(document.subtitle or document.title)))
    feed.lastBuildDate(document.updated)
    feed.docs("https://www.rssboard.org/rss-specification")
    feed.ttl(TIME_TO_LIVE)
    if document.rights:
        feed.copyright(without_forbidden(text_or_html(document.rights)))
    if document.logo:
        feed.image(url=document.logo, title=without_forbidden(text_or_html(document.title)))
    items = [_item(entry, document) for entry in document.entries]
    return with_entries(feed.rss_str(pretty=True), items, document, "rss")


def _item(entry: Entry, document: FeedDocument) -> str:
    """Return an item of a document; elements that RSS lacks are those of Atom and Dublin Core."""
    categories = [entry.source.name, *entry.categories] if entry.source.key else entry.categories
    link = address(entry.alternate)
    parts = [
        _text("title", entry.title),
        *title_link(document, entry.title, link),
        element("link", link),
        element("guid", entry.id, isPermaLink="false"),
        element("pubDate", format_datetime(entry.published)),
        element("atom:updated", entry.updated.isoformat()),
        element("dc:creator", text_or_html(entry.author)),
        *(_text("category", category) for category in categories),
    ]
    if entry.via is not None:
        parts.append(element("atom:link", href=address(entry.via), rel="via", type="text/html"))
    for other in entry.related:
        related = {"href": address(other.url), "rel": "related", "type": "text/html"}
        parts.append(element("atom:link", **related, title=other.title))
    # RSS allows one.
    for enclosure in entry.enclosures[:1]:
        parts.append(
            element(
                "enclosure",
                url=address(enclosure.url),
                length=str(enclosure.length or 0),
                type=enclosure.media_type or "application/octet-stream",
            )
        )
    origin = document.origins.get(entry.source.key)
    if origin is not None and "rss" in origin.urls:
        parts.append(_text("source", origin.title, url=origin.urls["rss"]))
    # By the profile a description is HTML, so plain text is escaped once more.
    parts.append(element("description", escape(entry.summary or entry.title, quote=False)))
    if entry.image is not None:
        parts += media_elements(entry.image)
    if not document.is_excerpt:
        parts.append(text_element("content:encoded", content(entry, document.language) or " "))
    return "    <item>\n      " + "\n      ".join(parts) + "\n    </item>"


def _text(name: str, text: str, **attributes: str) -> str:
    """Return an element with a plain text, by the profile's rules for its characters."""
    return profiled(element(name, text_or_html(text), **attributes))
