"""The fields of an entry of an upstream feed, whatever is in them.  Pure."""

from __future__ import annotations

import calendar
import datetime
import html
import re
from collections.abc import Iterable
from html.entities import html5
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.articles import dates, sanitize
from aggregator.articles.titles import MAX_TITLE, one_line
from aggregator.model.articles import Enclosure

EARLIEST = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC)
_LATEST = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
Date = tuple[datetime.datetime | None, str]
# RFC 822, and the dates of ISO 8601 that name no day.
_OF_FEEDS = re.compile(
    r"\d{4}(?:-\d{2})?|.*\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*",
    re.IGNORECASE | re.ASCII,
)
_MAX_STYLE = 2000
_LONG_STYLE = re.compile(
    rf"\sstyle\s*=\s*(?:\"[^\"]{{{_MAX_STYLE},}}+\"|'[^']{{{_MAX_STYLE},}}+')", re.IGNORECASE
)
_VOID_END = re.compile(
    r"(<(br|hr|img|wbr|input|area|col|embed|param|track|source)\b[^<>]*>)</\2>", re.IGNORECASE
)
_LINE_BREAK = re.compile(r"\s*\n\s*")
_WEB = ("http://", "https://")
MAX_GUID = 2000
MAX_AUTHOR_MARKUP = 1000
_ADDRESS = re.compile(r"[(<\[]?\s*(?:mailto:)?[^\s@<>()\[\]]+@[^\s@<>()\[\]]+\s*[)>\]]?")
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)
# The references that HTML has without a semicolon, and numbers.
# As in HTML attributes, `&copy=` and `&copyright` are not references.
WITHOUT_SEMICOLON = (
    f"(?:{'|'.join(name for name in html5 if not name.endswith(';'))}|"
    r"#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6})(?![\w;=-])"
)
_WITHOUT_SEMICOLON = re.compile(f"&({WITHOUT_SEMICOLON})")
_HAS_PICTURE = re.compile(r"<(?:img|picture|video)\b", re.IGNORECASE)
_PICTURE_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)\Z", re.IGNORECASE)


def link_of(entry: Any) -> str | None:
    """Return the URL of the entry's page: its alternate link, else a GUID that is a URL."""
    found = [
        link
        for link in entry.get("links", [])
        if link.get("rel") == "alternate" and link.get("href")
    ]
    if found:
        # One page in several types: people read the one in HTML.
        best = next((link for link in found if "html" in str(link.get("type", "html"))), found[0])
        return str(best["href"]).strip()
    link = str(entry.get("link") or "").strip()
    if link:
        return link
    guid = str(entry.get("id") or "").strip()
    return guid if entry.get("guidislink") and guid.startswith(_WEB) else None


def absolute_url(link: str | None, base_url: str) -> str | None:
    """Return the absolute http(s) URL, or None if `link` isn't one."""
    return sanitize.absolute_url(link, base_url, sanitize.WEB_SCHEMES) if link else None


def web_url(value: object, base_url: str) -> list[str]:
    """Return the absolute http(s) URL in a list, an empty one if `value` isn't one."""
    address = absolute_url(value, base_url) if isinstance(value, str) else None
    return [address] if address else []


def is_text(detail: Any) -> bool:
    """Return whether a content is text or markup; others are in base64 (RFC 4287 §4.1.3)."""
    kind = str(detail.get("type") or "").partition(";")[0].strip().lower()
    return kind.startswith("text") or "html" in kind or kind.endswith("xml") or not kind


def is_picture(part: Any) -> bool:
    """Return whether a file of an entry is a picture, by its type, medium or name."""
    kind, medium = str(part.get("type") or ""), str(part.get("medium") or "")
    if kind or medium:
        return kind.lower().startswith("image/") or (not kind and medium.lower() == "image")
    url = str(part.get("url") or part.get("href") or "")
    return _PICTURE_NAME.search(url.partition("?")[0]) is not None


def width_of(part: Any) -> int:
    """Return the width that a picture is said to have, 0 if that is unknown."""
    digits = str(part.get("width") or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else 0


def with_image(text: str, images: Iterable[str]) -> str:
    """Return a text with the first of the images before it, if it has none of its own."""
    image = None if _HAS_PICTURE.search(text) else next(iter(images), None)
    if image is None:
        return text
    return f'<p><img src="{html.escape(image)}" alt=""></p>\n{text}'.rstrip("\n")


def name_without_address(markup: str) -> str | None:
    """Return the name in the markup of an author of RSS, None if it has no e-mail address."""
    if "@" not in markup or len(markup) > MAX_AUTHOR_MARKUP:
        return None
    cdata = _CDATA.fullmatch(markup)
    if cdata is None and "<" in markup:
        return None  # elements of its own
    name = _ADDRESS.sub(" ", cdata[1] if cdata else html.unescape(markup)).strip(" ,;")
    return name[1:-1] if name.startswith("(") and name.endswith(")") else name


def html_of(detail: Any) -> str:
    """Return the HTML of a text construct (RFC 4287 §3.1)."""
    value = sanitize.without_forbidden(str(detail.get("value", "")))
    # feedparser writes elements without an end so, and to HTML `</br>` is one more.
    value = _VOID_END.sub(r"\1", value)
    if len(value) > _MAX_STYLE:
        # Styles are not kept anyway, and so long a tag would be refused.
        value = _LONG_STYLE.sub("", value)
    return paragraphs(value) if detail.get("type") == "text/plain" else value


def paragraphs(text: str, *, is_escaped: bool = False) -> str:
    """Return plain text as HTML, a paragraph a line; `is_escaped` text may have `&amp;` in it."""
    lines = [line for line in _LINE_BREAK.split(text.strip()) if line]
    if is_escaped:
        lines = [html.unescape(line) for line in lines]
    return "\n".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines)


def title_of(detail: Any, *, is_rss: bool = False) -> str:
    """Return a text construct as one line of plain text.

    A title of RSS may be HTML, which feedparser knows by its tags and references.
    """
    if not detail:
        return ""
    value = sanitize.without_forbidden(str(detail.get("value", "")))[: 10 * MAX_TITLE]
    complete = _WITHOUT_SEMICOLON.sub(r"&\1;", value) if is_rss else value
    if detail.get("type") != "text/plain" or complete != value:
        value = sanitize.plain_text(complete)
    return one_line(value)


def categories_of(values: Iterable[object]) -> tuple[str, ...]:
    """Return the names among the given values, each once."""
    words = (
        " ".join(sanitize.without_forbidden(value).split())[:100]
        for value in values
        if isinstance(value, str)
    )
    return tuple(dict.fromkeys(word for word in words if word))[:20]


def enclosures_of(
    parts: Iterable[tuple[object, object, object]], base_url: str
) -> tuple[Enclosure, ...]:
    """Return the enclosures of (URL, media type, length) that have an http(s) URL."""
    found: list[Enclosure] = []
    for url, kind, length in parts:
        address = next(iter(web_url(url, base_url)), None)
        if address is None or any(enclosure.url == address for enclosure in found):
            continue
        kind = sanitize.without_forbidden(kind).strip()[:100] if isinstance(kind, str) else None
        digits = str(length).strip() if isinstance(length, str | int) else ""
        found.append(
            Enclosure(
                address,
                kind or None,
                int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None,
            )
        )
    return tuple(found[:20])


def date_of(found_dates: Iterable[tuple[object, Any]], zone: ZoneInfo) -> Date:
    """Return the first plausible date, else None and the text of an unreadable one.

    Each is given as it is written and as feedparser reads it.
    """
    unreadable = ""
    for text, moment in found_dates:
        written = one_line(sanitize.without_forbidden(text))[:100] if isinstance(text, str) else ""
        if not written:
            continue
        if _OF_FEEDS.fullmatch(written):
            found = _instant(moment)
        else:
            # feedparser guesses at other forms: it reads 2022/1/27 as 1 November.
            found = dates.parse_date(written, zone)
        if found is not None and EARLIEST <= found <= _LATEST:
            return found, ""
        unreadable = unreadable or ("" if found is not None else written)
    return None, unreadable


def _instant(parsed: Any) -> datetime.datetime | None:
    """Return the instant of a date as feedparser has it, a time tuple in UTC."""
    if parsed is None:
        return None
    try:
        return datetime.datetime.fromtimestamp(calendar.timegm(parsed), datetime.UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
