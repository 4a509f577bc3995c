"""The head of Atom and RSS feeds, and the whole document around their entries."""

from __future__ import annotations

from feedgen.feed import FeedGenerator

from aggregator import __version__
from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import FeedDocument
from aggregator.model.formats import FORMATS
from aggregator.publish.texts import words
from aggregator.publish.xml import element, text_or_html

GENERATOR = "aggregator"
STYLESHEET = "feed.css"
HISTORY = "http://purl.org/syndication/history/1.0"
XHTML = "http://www.w3.org/1999/xhtml"


def make_head(document: FeedDocument, format: str) -> FeedGenerator:
    """Return a feedgen feed without entries, with what the two XML formats have in common."""
    feed = FeedGenerator()
    title = text_or_html(document.title) if format == "rss" else document.title
    feed.title(without_forbidden(title))
    feed.language(document.language)
    feed.link(href=document.urls[format], rel="self", type=FORMATS[format].media_type)
    feed.generator(GENERATOR, version=__version__)
    return feed


def with_entries(head: bytes, entries: list[str], document: FeedDocument, format: str) -> bytes:
    """Return feedgen's `head` completed by the entries, and by what feedgen cannot write.

    That is a style sheet for browsers, and the elements of `_beyond_feedgen`.
    """
    end, indent = ("</channel>", "    ") if format == "rss" else ("</feed>", "  ")
    declaration, _, feed = head.decode().partition("\n")
    before, _, after = feed.rpartition(end)
    if document.archive.current is not None:
        # In the first tag, since sealed documents keep their bytes.
        root = "<rss " if format == "rss" else "<feed "
        before = before.replace(root, f'{root}xmlns:fh="{HISTORY}" ', 1)
    style = f'<?xml-stylesheet type="text/css" href="{document.root}{STYLESHEET}"?>'
    lines = [
        declaration,
        *([style] if document.page else []),
        before.rstrip(),
        *(indent + part for part in _beyond_feedgen(document, format)),
        *entries,
        end + after.rstrip(),
        "",
    ]
    return "\n".join(lines).encode()


def _beyond_feedgen(document: FeedDocument, format: str) -> list[str]:
    """Links of archives (RFC 5005) and hubs (WebSub), and a notice for people.

    feedgen rejects these relations, and writes one link only in RSS.
    """
    link = "atom:link" if format == "rss" else "link"
    typed = {"type": FORMATS["atom"].media_type}
    place = document.archive
    parts = []
    if place.current is not None:
        parts.append(element("fh:archive"))
        parts.append(element(link, rel="current", href=place.current))
    if place.previous is not None:
        parts.append(element(link, rel="prev-archive", href=place.previous, **typed))
    if place.next is not None:
        parts.append(element(link, rel="next-archive", href=place.next, **typed))
    parts += [element(link, rel="hub", href=hub) for hub in document.hubs]
    if document.page is not None:
        # Elements of XHTML are alive in a browser that shows the feed with a style.
        say = words(document.language)
        page = element("a", say.to_the_page, href=document.page)
        parts.append(f'<p xmlns="{XHTML}">{say.this_is_a_feed} {page}</p>')
    return parts
