"""FeedDocument → RSS 2.0, by the RSS Advisory Board's profile.

feedgen writes the head of the channel.  Items are written here, as in publish/atom.py.
"""

from __future__ import annotations

from email.utils import format_datetime
from html import escape

from aggregator.articles.sanitize import plain_text, without_forbidden
from aggregator.model.feeds import Entry, FeedDocument, FeedOrigin
from aggregator.publish.head import make_head, with_entries
from aggregator.publish.xml import element, text_element, text_or_html

# How long a reader may cache a feed, in minutes.
TIME_TO_LIVE = 15
SUMMARY = 200


def render(document: FeedDocument) -> bytes:
    """Return the feed as UTF-8 XML, without characters that XML does not allow."""
    feed = make_head(document, "rss")
    feed.load_extension("dc", atom=False)
    feed.link(href=without_forbidden(document.alternate), rel="alternate")
    feed.description(without_forbidden(text_or_html(document.subtitle or document.title)))
    feed.lastBuildDate(document.updated)
    feed.docs("https://www.rssboard.org/rss-specification")
    feed.ttl(TIME_TO_LIVE)
    if document.logo:
        feed.image(url=document.logo, title=without_forbidden(text_or_html(document.title)))
    items = [_item(entry, document.origins.get(entry.source.key)) for entry in document.entries]
    return with_entries(feed.rss_str(pretty=True), items, document, "rss")


def _item(entry: Entry, origin: FeedOrigin | None) -> str:
    """Return an item; elements that RSS lacks are those of Atom and Dublin Core."""
    categories = [entry.source.name, *entry.categories] if entry.source.key else entry.categories
    parts = [
        element("title", text_or_html(entry.title)),
        element("link", entry.alternate),
        element("guid", entry.id, isPermaLink="false"),
        element("pubDate", format_datetime(entry.published)),
        element("atom:updated", entry.updated.isoformat()),
        element("dc:creator", text_or_html(entry.author)),
        *(element("category", text_or_html(category)) for category in categories),
    ]
    if entry.via is not None:
        parts.append(element("atom:link", href=entry.via, rel="via", type="text/html"))
    # RSS allows one.
    for enclosure in entry.enclosures[:1]:
        parts.append(
            element(
                "enclosure",
                url=enclosure.url,
                length=str(enclosure.length or 0),
                type=enclosure.media_type or "application/octet-stream",
            )
        )
    if origin is not None and "rss" in origin.urls:
        parts.append(element("source", text_or_html(origin.title), url=origin.urls["rss"]))
    parts.append(element("description", _summary(entry)))
    parts.append(text_element("content:encoded", entry.content or " "))
    return "    <item>\n      " + "\n      ".join(parts) + "\n    </item>"


def _summary(entry: Entry) -> str:
    """Return the first words as HTML, for readers that show them in a list.

    By the profile a description is HTML, so plain text is escaped once more.
    """
    start = entry.content[: 10 * SUMMARY]
    text = plain_text(start[: start.rfind(">") + 1] or start, SUMMARY) or entry.title
    return escape(text, quote=False)
