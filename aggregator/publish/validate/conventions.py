"""What the validators of the W3C and of the RSS Advisory Board warn of, in Atom and RSS.  Pure.

Their pages are at https://validator.w3.org/feed/docs/ and https://www.rssboard.org/rss-profile.
They also warn of entries that were updated in the same second, which is no mistake.
"""

from __future__ import annotations

import re
from html.entities import html5
from typing import Any

from lxml import etree

from aggregator.publish.validate.report import Report

_ATOM = "{http://www.w3.org/2005/Atom}"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_XHTML = "http://www.w3.org/1999/xhtml"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
# Namespaces that they know; of any other they say that readers may not know it either.
_NAMESPACES = frozenset({
    "http://www.w3.org/2005/Atom", "http://purl.org/syndication/history/1.0", _MEDIA[1:-1], _RDF,
    "http://purl.org/dc/elements/1.1/", "http://purl.org/dc/terms/",
    "http://purl.org/rss/1.0/modules/content/", "http://purl.org/rss/1.0/modules/syndication/",
    "http://backend.userland.com/creativeCommonsRssModule",
    "http://purl.org/syndication/thread/1.0", "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "http://a9.com/-/spec/opensearch/1.1/",
})  # fmt: skip
_RELATIONS = frozenset({
    "alternate", "current", "describedby", "edit", "edit-media", "enclosure", "first", "hub",
    "last", "license", "next", "next-archive", "payment", "prev-archive", "previous", "related",
    "replies", "search", "self", "service", "up", "via",
})  # fmt: skip
# Relations of a whole feed (RFC 5005).
_OF_FEEDS = frozenset({
    "current", "first", "last", "next", "next-archive", "prev-archive", "previous",
})  # fmt: skip
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_NO_URI = re.compile(r"[^0-9A-Za-z;/?:@&=+$.\-_!~*'(),%#\[\]]")
_END_TAG = re.compile(r"</\w+>")
_REFERENCE = re.compile(r"&(#?\w+);")
_PLAIN = ("title", "subtitle", "summary", "rights")
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_PICTURES = ("gif", "jpeg", "jpg", "png")


def check_atom(feed: Any, report: Report) -> None:
    """Check a feed of Atom."""
    entries = feed.findall(_ATOM + "entry")
    _check_order(feed, _ATOM + "entry", report)
    _check_language(feed, feed.get(_LANG), report)
    for parent in (feed, *entries):
        _check_foreign(parent, report)
        _check_pictures(parent, report)
        _check_links(parent, report, is_feed=parent is feed)
        for name in _PLAIN:
            for found in parent.findall(_ATOM + name):
                if found.get("type", "text") == "text":
                    _check_plain(found, report)


def check_rss(channel: Any, report: Report) -> None:
    """Check a channel of RSS."""
    items = channel.findall("item")
    _check_order(channel, "item", report)
    _check_language(channel, channel.findtext("language"), report)
    _check_image(channel, report)
    for parent in (channel, *items):
        _check_foreign(parent, report)
        _check_pictures(parent, report)
        _check_links(parent, report, is_feed=parent is channel)
        for name in ("title", "category", "source", "copyright"):
            for found in parent.findall(name):
                _check_plain(found, report)
    for item in items:
        _check_item(item, report)


def _check_order(feed: Any, entry: str, report: Report) -> None:
    """Check that nothing of the feed stands behind its first entry."""
    is_behind = False
    for child in feed.iterchildren(etree.Element):
        if child.tag == entry:
            is_behind = True
        elif is_behind:
            report.add(child.sourceline, f"{_name(child)}: stands behind an entry")


def _check_language(feed: Any, language: str | None, report: Report) -> None:
    if language is not None and _LANGUAGE.fullmatch(language) is None:
        report.add(feed.sourceline, f"language: {language[:60]!r} is none")


def _check_foreign(parent: Any, report: Report) -> None:
    """Check the elements that neither Atom nor RSS has."""
    for child in parent.iterchildren(etree.Element):
        space = etree.QName(child).namespace
        if space == _XHTML:
            report.add(child.sourceline, f"<{_name(child)}> of XHTML stands outside of a text")
        elif space is not None and space not in _NAMESPACES:
            report.add(child.sourceline, f"{_name(child)}: readers do not know {space}")


def _check_pictures(parent: Any, report: Report) -> None:
    """Check the elements of Media RSS."""
    for name in ("thumbnail", "content"):
        for found in parent.findall(_MEDIA + name):
            report.check_address(found.sourceline, f"media:{name}", found.get("url", ""))
            _check_uri(found, f"media:{name}", found.get("url", ""), report)
            for side in ("width", "height"):
                value = found.get(side, "1")
                if not value.isdecimal() or int(value) == 0:
                    report.add(found.sourceline, f"media:{name}: {side} is no number of pixels")


def _check_links(parent: Any, report: Report, *, is_feed: bool) -> None:
    for link in parent.findall(_ATOM + "link"):
        relation = link.get("rel", "alternate")
        if relation not in _RELATIONS and ":" not in relation:
            report.add(link.sourceline, f"link rel={relation}: there is no such relation")
        elif relation in _OF_FEEDS and not is_feed:
            report.add(link.sourceline, f"link rel={relation}: is for feeds, not for entries")
        _check_uri(link, f"link rel={relation}", link.get("href", ""), report)
    for link in parent.findall("link"):
        _check_uri(link, "link", link.text or "", report)


def _check_item(item: Any, report: Report) -> None:
    """Check what an item of RSS has twice, or in the wrong order."""
    names = [child.tag for child in item.iterchildren(etree.Element)]
    if _CONTENT in names and "description" not in names[: names.index(_CONTENT)]:
        report.add(item.sourceline, "item: content:encoded needs a description before it")
    if _CREATOR in names and "author" in names:
        report.add(item.sourceline, "item: dc:creator and author say the same")


def _check_image(channel: Any, report: Report) -> None:
    """Check the image of a channel, which repeats the channel's title and link."""
    image = channel.find("image")
    if image is None:
        return
    for name in ("title", "link"):
        if image.findtext(name) != channel.findtext(name):
            report.add(image.sourceline, f"image: its {name} is not that of the channel")
    url = image.findtext("url") or ""
    _check_uri(image, "image", url, report)
    ending = url.rpartition(".")[2].lower()
    if ending.isalnum() and ending not in _PICTURES:
        report.add(image.sourceline, f"image: readers may not show a picture that is .{ending}")


def _check_plain(element: Any, report: Report) -> None:
    """Check that nobody takes a plain text for HTML."""
    text = element.text or ""
    names = [match[1] for match in _REFERENCE.finditer(text)]
    if _END_TAG.search(text) or any(name[0] == "#" or f"{name};" in html5 for name in names):
        report.add(element.sourceline, f"{_name(element)}: looks like HTML, but is plain text")


def _check_uri(element: Any, name: str, url: str, report: Report) -> None:
    match = _NO_URI.search(url)
    if match is not None:
        report.add(
            element.sourceline, f"{name}: {match[0]!r} must be percent-encoded in {url[:200]}"
        )


def _name(element: Any) -> str:
    return str(etree.QName(element).localname)
