"""The bytes of an HTML page → its title and text.  Pure; meant to run in the sandbox."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urljoin

from aggregator.articles import sanitize
from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.encodings import decode_declared

MAX_LINKS = 5000
# How much of a page is searched for the feeds that it names.
MAX_HEAD = 500_000
_META = re.compile(rb"<meta\b[^>]{0,500}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
# UTF-7 hides tags from whoever looks for them.
_NOT_UTF7 = re.compile(r"(?!utf-?7$).*", re.IGNORECASE)
_FEED_TYPE = re.compile(r"\s*application/(?:(?:rss|atom|rdf)\+xml|feed\+json)\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


class PageSelectors(NamedTuple):
    """CSS selectors of a page's parts; without `html` the main text is extracted."""

    html: str | None = None
    title: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class PageText:
    """The parts of a page; its HTML is not sanitized, and its date is still text."""

    title: str | None
    html: str
    date: str | None = None


@dataclass(frozen=True, slots=True)
class ListLink:
    """An item of a page that lists articles; its date is still text."""

    url: str
    title: str
    date: str | None = None
    source: str | None = None
    digest: str | None = None


def prepare() -> None:
    """Import what reading a page needs."""
    import bs4

    bs4.BeautifulSoup("<p>", "lxml").select("p")
    with contextlib.suppress(ImportError):  # an extra, which config.yaml may not need
        import trafilatura

        trafilatura.extract("<p>")


def extract(data: bytes, content_type: str, url: str, selectors: Sequence[str | None]) -> PageText:
    """Return a page's title, text and date; `selectors` are those of `PageSelectors`.

    Raises `UnusableError` for a page without a text, such as a login page.
    """
    selectors = PageSelectors(*selectors)
    page = _page(data, content_type)
    soup = _soup(page)
    title = (selectors.title and _field(soup, selectors.title)) or _field(soup, "title")
    date = _field(soup, selectors.date) if selectors.date else ""
    if selectors.html is not None:
        found = soup.select(selectors.html)
        if not found:
            raise UnusableError(f"no element matches {selectors.html}: a login or captcha page?")
        html = "\n".join(part.decode_contents() for part in found)
    else:
        html = _main_text(page, url)
    return PageText(title or None, sanitize.without_forbidden(html), date or None)


def list_links(
    data: bytes, content_type: str, url: str, items: str, fields: Mapping[str, str]
) -> tuple[ListLink, ...]:
    """Return the items of a page that lists articles.

    `items` is the CSS selector of an item, `fields` those of its parts, with `@name` at
    the end for an attribute.  By default, `url` is the first link and `title` its text.
    """
    soup = _soup(_page(data, content_type))
    base = soup.find("base", href=True)
    start = urljoin(url, str(base["href"])) if base is not None else url
    found = []
    for item in soup.select(items, limit=MAX_LINKS):
        address = _field(item, fields.get("url", "a@href"))
        if not address:
            continue
        absolute = urljoin(start, address)
        if not absolute.startswith(("http://", "https://")):
            continue
        optional = {
            name: _field(item, fields[name]) or None if name in fields else None
            for name in ("date", "source", "digest")
        }
        title = _field(item, fields.get("title", "a"))
        found.append(ListLink(absolute, title, **optional))
    if not found:
        raise UnusableError(f"no element matches {items}: a login or captcha page?")
    return tuple(found)


def feed_links(data: bytes, content_type: str, url: str) -> list[str]:
    """Return the URLs of the feeds that a page names: `<link rel="alternate" type="…">`."""
    from bs4 import BeautifulSoup
    from bs4.filter import SoupStrainer

    head = sanitize.without_forbidden(decode_page(data, content_type))[:MAX_HEAD]
    soup = BeautifulSoup(head, "lxml", parse_only=SoupStrainer(["base", "link"]))
    base = soup.find("base", href=True)
    start = urljoin(url, str(base["href"])) if base is not None else url
    found = (
        sanitize.absolute_url(str(link["href"]), start, sanitize.WEB_SCHEMES)
        for link in soup.find_all("link", href=True, type=_FEED_TYPE)
        if "alternate" in str(link.get_attribute_list("rel")).lower()
    )
    return list(dict.fromkeys(address for address in found if address))


def decode_page(data: bytes, content_type: str) -> str:
    """Return the text of a page, by its header, its meta element, or what it looks like."""
    return decode_declared(data, content_type, _META, _NOT_UTF7)


def _page(data: bytes, content_type: str) -> str:
    if not data.strip():
        raise UnusableError("an empty page")
    page = sanitize.without_forbidden(decode_page(data, content_type))
    sanitize.check_limits(page, sanitize.HTML)
    return page


def _soup(page: str) -> Any:
    # With html.parser, 300 kB of `<a ` take half a minute; with lxml, no time.
    from bs4 import BeautifulSoup

    return BeautifulSoup(page, "lxml")


def _main_text(page: str, url: str) -> str:
    import trafilatura

    found = trafilatura.extract(
        page,
        url=url,
        output_format="html",
        include_links=True,
        include_images=True,
        include_tables=True,
        include_comments=False,
        favor_recall=True,
        with_metadata=False,
    )
    if not found:
        raise UnusableError("no main text: a login or captcha page, or one that needs JavaScript?")
    return re.sub(r"^\s*<html>\s*<body>|</body>\s*</html>\s*$", "", found)


def _field(item: Any, selector: str) -> str:
    """Return the text, or the attribute, of the first element that matches."""
    css, _, attribute = selector.partition("@")
    css = css.strip()
    found = item.select_one(css) if css else item
    if found is None:
        return ""
    value = found.get(attribute.strip(), "") if attribute else found.get_text(" ")
    if isinstance(value, list):
        value = " ".join(value)
    return _SPACE.sub(" ", sanitize.without_forbidden(str(value))).strip()[:1000]
