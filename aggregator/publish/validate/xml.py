"""Atom (RFC 4287, RFC 5005), RSS 2.0 by its Advisory Board's profile, OPML 2.0.  Pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

from lxml import etree

from aggregator.publish.validate import conventions
from aggregator.publish.validate.report import Report

_ATOM = "{http://www.w3.org/2005/Atom}"
_HISTORY = "{http://purl.org/syndication/history/1.0}"
_CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"


def check_atom(data: bytes, report: Report) -> None:
    """Check Atom (RFC 4287 §4), and archive documents (RFC 5005 §4)."""
    root = _root(data, _ATOM + "feed", report)
    if root is None:
        return
    report.feed_id = _one(root, "id", report)
    _one(root, "title", report)
    _constructs(root, report)
    updated = _moment(root, "updated", report)
    links = _links(root, report)
    report.links = {relation: url for relation, url, _ in links}
    if "self" not in report.links:
        report.add(root.sourceline, "feed: no link rel=self")
    is_archive = root.find(_HISTORY + "archive") is not None
    report.is_sealed = is_archive and "next-archive" in report.links
    if is_archive and "current" not in report.links:
        report.add(root.sourceline, "feed: an archive without a link rel=current")
    newest = None
    for entry in root.iter(_ATOM + "entry"):
        moment = _entry(entry, report, has_author=root.find(_ATOM + "author") is not None)
        newest = max(filter(None, (newest, moment)), default=None)
    if updated is not None and newest is not None and newest > updated:
        report.add(root.sourceline, "feed: updated is before that of its newest entry")
    report.check_unique("the id")
    conventions.check_atom(root, report)


def _entry(entry: Any, report: Report, *, has_author: bool) -> Any:
    line = entry.sourceline
    identifier = _one(entry, "id", report) or ""
    title = _one(entry, "title", report) or ""
    updated = _moment(entry, "updated", report)
    if entry.find(_ATOM + "published") is not None:
        _moment(entry, "published", report)
    if not has_author and entry.find(_ATOM + "author") is None:
        report.add(line, "entry: no author, nor has the feed one")
    links = _links(entry, report)
    kinds = [(kind, url) for relation, url, kind in links if relation == "alternate"]
    if len({kind for kind, _ in kinds}) < len(kinds):
        report.add(line, "entry: two links rel=alternate of the same type")
    contents = entry.findall(_ATOM + "content")
    if len(contents) > 1:
        report.add(line, "entry: more than one content")
    if not contents and not kinds:
        report.add(line, "entry: neither content nor a link rel=alternate")
    _constructs(entry, report)
    report.entries.append((f"{kinds[0][1] if kinds else ''}\n{title}", identifier))
    return updated


def _constructs(parent: Any, report: Report) -> None:
    """Check the text constructs that are HTML (RFC 4287 §3.1)."""
    for name in ("title", "subtitle", "summary", "rights", "content"):
        for element in parent.findall(_ATOM + name):
            if element.get("type") == "html":
                report.check_html(element.sourceline, name, element.text or "")


def check_rss(data: bytes, report: Report) -> None:
    """Check RSS 2.0."""
    root = _root(data, "rss", report)
    if root is None:
        return
    if root.get("version") != "2.0":
        report.add(root.sourceline, "rss: version is not 2.0")
    channel = root.find("channel")
    if channel is None:
        report.add(root.sourceline, "rss: no channel")
        return
    for name in ("title", "link", "description"):
        _one(channel, name, report, "")
    _texts(channel, ("title", "description", "copyright"), report)
    report.check_address(channel.sourceline, "link", channel.findtext("link") or "")
    report.links = {relation: url for relation, url, _ in _links(channel, report)}
    report.feed_id = report.links.get("self")
    if report.feed_id is None:
        report.add(channel.sourceline, "channel: no atom:link rel=self")
    for item in channel.iter("item"):
        _item(item, report)
    report.check_unique("the guid")
    conventions.check_rss(channel, report)


def _item(item: Any, report: Report) -> None:
    line = item.sourceline
    title, guid = item.findtext("title") or "", item.find("guid")
    link = item.findtext("link") or ""
    if not title and not item.findtext("description"):
        report.add(line, "item: neither title nor description")
    _texts(item, ("title", "category", "source", "author", _CREATOR), report)
    for description in item.findall("description"):
        report.check_html(description.sourceline, "description", description.text or "")
    if link:
        report.check_address(line, "link", link)
    if guid is None or not guid.text:
        report.add(line, "item: no guid")
    elif guid.get("isPermaLink", "true") != "false":
        report.check_address(line, "guid", guid.text)
    _date(item, report)
    _enclosures(item, report)
    report.check_html(line, "content:encoded", item.findtext(f"{_CONTENT}encoded") or "")
    text = (guid.text or "") if guid is not None else ""
    report.entries.append((f"{link}\n{title}", text))


def _date(item: Any, report: Report) -> None:
    date = item.findtext("pubDate")
    if date is not None:
        try:
            report.check_moment(item.sourceline, "pubDate", parsedate_to_datetime(date))
        except (ValueError, TypeError):
            report.add(item.sourceline, f"pubDate: {date[:60]!r} is not a date of RFC 822")


def _enclosures(item: Any, report: Report) -> None:
    enclosures = item.findall("enclosure")
    if len(enclosures) > 1:
        report.add(item.sourceline, "item: more than one enclosure")
    for enclosure in enclosures:
        if not (enclosure.get("length") or "").isdecimal() or not enclosure.get("type"):
            report.add(enclosure.sourceline, "enclosure: needs length and type")


def _texts(parent: Any, names: tuple[str, ...], report: Report) -> None:
    """Check plain texts, which readers of RSS take for HTML if they look like it."""
    for name in names:
        for element in parent.findall(name):
            report.check_text(
                element.sourceline, etree.QName(element).localname, element.text or ""
            )


def check_opml(data: bytes, report: Report) -> None:
    """Check OPML 2.0, as a list of subscriptions."""
    root = _root(data, "opml", report)
    if root is None:
        return
    if root.get("version") != "2.0":
        report.add(root.sourceline, "opml: version is not 2.0")
    for name in ("head", "body"):
        if len(root.findall(name)) != 1:
            report.add(root.sourceline, f"opml: needs one {name}")
    for outline in root.iter("outline"):
        if not outline.get("text"):
            report.add(outline.sourceline, "outline: no text")
        # By the specification they may contain markup, so readers render it.
        for name in ("text", "title"):
            report.check_text(outline.sourceline, name, outline.get(name) or "")
        if outline.get("type") == "rss":
            report.check_address(outline.sourceline, "xmlUrl", outline.get("xmlUrl") or "")


def _root(data: bytes, name: str, report: Report) -> Any:
    """Return the root of a document, or None if it is not well-formed or another one."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        report.add(getattr(error, "lineno", None), f"not well-formed XML: {error}")
        return None
    if root.tag != name:
        report.add(root.sourceline, f"the root is {root.tag}, not {name}")
        return None
    return root


def _one(parent: Any, name: str, report: Report, space: str = _ATOM) -> str | None:
    """Return the text of an element that must occur once."""
    found = parent.findall(space + name)
    kind = etree.QName(parent).localname
    if len(found) != 1:
        report.add(parent.sourceline, f"{kind}: {'no' if not found else 'more than one'} {name}")
        return None
    text = "".join(found[0].itertext()).strip()
    if not text:
        report.add(found[0].sourceline, f"{kind}: {name} is empty")
    return text


def _moment(parent: Any, name: str, report: Report) -> Any:
    text = _one(parent, name, report)
    return report.check_timestamp(parent.sourceline, name, text) if text else None


def _links(parent: Any, report: Report) -> list[tuple[str, str, str]]:
    """Return relation, URL and type of each Atom link; the URL must be absolute."""
    found = []
    for link in parent.findall(_ATOM + "link"):
        relation, url = link.get("rel", "alternate"), link.get("href", "")
        report.check_address(link.sourceline, f"link rel={relation}", url)
        found.append((relation, url, link.get("type", "")))
    return found
