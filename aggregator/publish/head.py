"""The head of Atom and RSS feeds, and the whole document around their entries."""

from __future__ import annotations

from feedgen.feed import FeedGenerator

from aggregator import __version__
from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import FeedDocument
from aggregator.model.formats import FORMATS
from aggregator.publish.texts import words
from aggregator.publish.xml import (
    MEDIA,
    RDF,
    XHTML,
    address,
    element,
    for_browsers,
    profiled,
    text_construct,
    text_or_html,
)

GENERATOR = "aggregator"
STYLESHEET = "feed.css"
HISTORY = "http://purl.org/syndication/history/1.0"
CREATIVE_COMMONS = "http://backend.userland.com/creativeCommonsRssModule"


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
    root = "<rss " if format == "rss" else "<feed "
    if format == "rss":
        before = profiled(before)
    else:
        for name, text in (("title", document.title), ("subtitle", document.subtitle)):
            if text:
                before = before.replace(element(name, text), text_construct(name, text), 1)
    for prefix, namespace in _namespaces(document, format).items():
        before = before.replace(root, f'{root}xmlns:{prefix}="{namespace}" ', 1)
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


def title_link(document: FeedDocument, title: str, url: str) -> list[str]:
    """Return the title of an entry as a link, for people who open the document in a browser."""
    if document.page is None:
        return []
    return [for_browsers(element("a", text_or_html(title), xmlns=XHTML, href=url))]


def _namespaces(document: FeedDocument, format: str) -> dict[str, str]:
    """Return the namespaces, by prefix, that a document uses and feedgen does not declare."""
    used = {
        "fh": (HISTORY, document.archive.current is not None),
        "media": (MEDIA, any(entry.image is not None for entry in document.entries)),
        "rdf": (RDF, document.page is not None),
        "creativeCommons": (CREATIVE_COMMONS, format == "rss" and document.license is not None),
    }
    return {prefix: namespace for prefix, (namespace, is_used) in used.items() if is_used}


def _beyond_feedgen(document: FeedDocument, format: str) -> list[str]:
    """Links of archives (RFC 5005), hubs (WebSub) and the license, and a notice for people.

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
    if document.rights is not None and format != "rss":
        parts.append(text_construct("rights", document.rights))
    if document.license is not None and format == "rss":
        parts.append(element("creativeCommons:license", address(document.license)))
    elif document.license is not None:
        parts.append(element(link, rel="license", href=address(document.license)))
    if document.page is not None:
        say = words(document.language)
        page = element("a", say.to_the_page, href=document.page)
        parts.append(for_browsers(f'<p xmlns="{XHTML}">{say.this_is_a_feed} {page}</p>'))
    return parts
