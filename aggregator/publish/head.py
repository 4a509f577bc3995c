"""What Atom and RSS feeds say of themselves beyond what feedgen knows."""

from __future__ import annotations

from typing import Any

from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator import __version__
from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import FeedDocument
from aggregator.model.formats import FORMATS
from aggregator.publish.texts import words
from aggregator.publish.xml import text_or_html

GENERATOR = "aggregator"
STYLESHEET = "feed.css"
ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
XHTML = "http://www.w3.org/1999/xhtml"


def make_head(document: FeedDocument, format: str) -> FeedGenerator:
    """A feedgen feed without entries, with all that the two XML formats have in common."""
    feed = FeedGenerator()
    title = text_or_html(document.title) if format == "rss" else document.title
    feed.title(without_forbidden(title))
    feed.language(document.language)
    address = FORMATS[format].media_type
    feed.link(href=document.urls[format], rel="self", type=address)
    feed.generator(GENERATOR, version=__version__)
    feed.register_extension("beyond_feedgen", _BeyondFeedgen, atom=True, rss=True)
    feed.beyond_feedgen.describe(document, format)
    return feed


def with_entries(head: bytes, end: bytes, entries: list[str], document: FeedDocument) -> bytes:
    """The whole document: entries before its `end` tag, and a style sheet for browsers."""
    declaration, _, feed = head.partition(b"\n")
    style = f'<?xml-stylesheet type="text/css" href="{document.root}{STYLESHEET}"?>\n'
    styled = declaration + b"\n" + (style.encode() if document.page else b"") + feed
    before, _, after = styled.rpartition(end)
    body = "\n".join(["", *entries, ""]).encode()
    return b"".join((before.rstrip(), body or b"\n", end, after.rstrip(), b"\n"))


class _BeyondFeedgen(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Links of archives (RFC 5005) and hubs (WebSub), and a word to people.

    feedgen has no relation of these, and one link only in RSS.
    """

    def __init__(self) -> None:
        self._document: FeedDocument | None = None
        self._namespaces: dict[str, str] = {}
        self._link = "link"

    def describe(self, document: FeedDocument, format: str) -> None:
        """Set the document that this is the head of."""
        self._document = document
        if document.archive.current is not None:
            self._namespaces["fh"] = HISTORY
        if format == "rss":
            self._namespaces["dc"] = DUBLIN_CORE
            self._link = f"{{{ATOM}}}link"

    def extend_ns(self) -> dict[str, str]:
        """The namespaces that head and entries use, by their prefixes."""
        return self._namespaces

    def extend_atom(self, feed: Any) -> Any:
        """Add to the element `feed`."""
        self._extend(feed)
        return feed

    def extend_rss(self, rss: Any) -> Any:
        """Add to the element `channel` of `rss`."""
        self._extend(rss[0])
        return rss

    def _extend(self, parent: Any) -> None:
        document = self._document
        if document is None:
            return
        atom = FORMATS["atom"].media_type
        place = document.archive
        if place.current is not None:
            etree.SubElement(parent, f"{{{HISTORY}}}archive")
        for relation, address, media_type in (
            ("current", place.current, None),
            ("prev-archive", place.previous, atom),
            ("next-archive", place.next, atom),
            *(("hub", hub, None) for hub in document.hubs),
        ):
            if address is not None:
                link = etree.SubElement(parent, self._link, rel=relation, href=address)
                if media_type is not None:
                    link.set("type", media_type)
        if document.page is not None:
            # Elements of XHTML are alive in a browser that shows the feed with a style.
            notice = words(document.language)
            paragraph = etree.SubElement(parent, f"{{{XHTML}}}p", nsmap={None: XHTML})
            paragraph.text = notice.this_is_a_feed + " "
            anchor = etree.SubElement(paragraph, f"{{{XHTML}}}a", href=document.page)
            anchor.text = notice.to_the_page
