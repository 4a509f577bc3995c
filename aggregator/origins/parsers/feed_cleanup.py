"""The bytes of a feed in XML, made safe for feedparser.  Pure.

What feedparser, or expat under it, is known to choke on never reaches it: document types
with entities of their own, odd encodings, endless depth, authors of 100 kB.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.entities import html5

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.errors import UnusableError
from aggregator.model.polls import Cadence
from aggregator.model.terminal import counted
from aggregator.origins.parsers.encodings import decode_declared
from aggregator.origins.parsers.feed_fields import WITHOUT_SEMICOLON
from aggregator.origins.parsers.feed_markup import TOO_DEEP, FeedMarkup

MAX_PERSON = 1000
_REFUSED = "it declares its own XML entities, which is not allowed"
_ENCODINGS = re.compile(
    r"utf-?8|utf-?16(?:[bl]e)?|us-ascii|ascii|iso-?8859-\d{1,2}|latin-?1|windows-?125\d|"
    r"cp125\d|gb2312|gbk|gb18030|big5(?:-?hkscs)?|euc-(?:jp|kr)|shift[_-]jis|iso-2022-jp|"
    r"koi8-[ru]",
    re.IGNORECASE,
)
_DECLARED = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']"
)
_DECLARATION = re.compile(r"^\s*<\?xml.*?\?>", re.DOTALL)
# What may stand before the document type (XML 1.0 §2.8).
_PROLOG = re.compile(r"(?:\s++|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_DOCTYPE = re.compile(
    r"<!DOCTYPE(?:[^>\[\"']++|\"[^\"]*+\"|'[^']*+')*+"
    r"(\[(?:[^\]\"'<]++|\"[^\"]*+\"|'[^']*+'|<!--.*?(?:-->|\Z)|<)*+\]\s*)?>",
    re.IGNORECASE | re.DOTALL,
)
# An entity, and its text where that is short and refers to nothing.
_ENTITY = re.compile(
    r"<!ENTITY\s+(?!%)([^\s\"'<>]*)(?:\s+(?:\"([^\"<&%]{0,100})\"|'([^'<&%]{0,100})')\s*>)?"
)
MAX_ENTITIES = 100
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|"
    r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)"
    rf"(?:([A-Za-z_][\w.-]{{0,63}};)|({WITHOUT_SEMICOLON}))?",
    re.DOTALL,
)
_PERSON = re.compile(
    r"(<(?:[\w.-]+:)?(?:author|creator|name|email|managingEditor|webMaster|publisher|contributor)"
    rf"\b[^>]*>\s*(<!\[CDATA\[)?)([^<]{{{MAX_PERSON},}})"
)
_PERIODS = {
    "hourly": 3600,
    "daily": 86400,
    "weekly": 7 * 86400,
    "monthly": 30 * 86400,
    "yearly": 365 * 86400,
}
_HOUR = re.compile(r"<hour>\s*(\d{1,2})\s*</hour>", re.ASCII | re.IGNORECASE)
_DAY = re.compile(r"<day>\s*(\w+)\s*</day>", re.IGNORECASE)
_DAYS = "montuewedthufrisatsun"
_HALF_A_REFERENCE = re.compile(r"&[^;]*\Z")


@dataclass(frozen=True, slots=True)
class PreparedFeed:
    """A feed in UTF-8 that is safe to parse, its number of entries, and notes for the user."""

    document: bytes
    entries: int
    notes: tuple[str, ...]
    cadence: Cadence | None


def decode_feed(data: bytes, content_type: str) -> str:
    """Return the text of a feed in XML, without its XML declaration."""
    text = without_forbidden(decode_declared(data, content_type, _DECLARED, _ENCODINGS))
    return _DECLARATION.sub("", text, count=1).lstrip("\ufeff \t\r\n")


def prepared(text: str, base_url: str) -> PreparedFeed:
    """Return a feed that is safe to parse; of one that is cut off, the whole entries.

    Raises `UnusableError` for a document that must not reach a parser.
    """
    text, entities = _without_doctype(text)
    markup = FeedMarkup(text, base_url)
    text = markup.read()
    longest = 2 * len(text) + 100_000
    text = _REFERENCE.sub(functools.partial(_character, entities), text)
    if entities and len(text) > longest:
        raise UnusableError(_REFUSED)
    text = _PERSON.sub(_clipped, text)
    notes = []
    if not markup.has_end:
        notes.append("it is cut off: only whole entries were read")
    if markup.too_deep:
        notes.append(f"{counted(markup.too_deep, 'entry')} left out: {TOO_DEEP}")
    document = b'<?xml version="1.0" encoding="utf-8"?>\n' + text.encode("utf-8", "replace")
    return PreparedFeed(document, markup.entries, tuple(notes), cadence_of(markup.timing))


def _without_doctype(text: str) -> tuple[str, dict[str, str]]:
    """Return a document without its document type, and the short texts that this declares.

    Nothing that it names elsewhere is ever fetched.  Raises `UnusableError` if it declares
    entities that refer to others or to files, other than those that HTML has anyway.
    """
    prolog = _PROLOG.match(text)
    start = prolog.end() if prolog is not None else 0
    if text[start : start + 9].upper() != "<!DOCTYPE":
        return text, {}
    found = _DOCTYPE.match(text, start)
    if found is None:
        raise UnusableError("its document type does not end")
    entities: dict[str, str] = {}
    for name, double, single in _ENTITY.findall(found[1] or ""):
        if f"{name};" in html5:
            continue
        if not (double or single) or len(entities) >= MAX_ENTITIES:
            raise UnusableError(_REFUSED)
        entities.setdefault(f"{name};", double or single)
    return text[:start] + text[found.end() :], entities


def _character(entities: Mapping[str, str], match: re.Match[str]) -> str:
    """Return what a reference stands for that XML does not know: HTML's, or the feed's own.

    Any other ampersand stands for itself: one that is no reference makes feedparser guess.
    """
    if not match[0].startswith("&"):
        return match[0]
    name = match[1] or f"{match[2]};"
    if name.startswith("#"):
        return html.escape(html.unescape(f"&{name}"))
    return html.escape(entities.get(name) or html5.get(name) or match[0])


def _clipped(match: re.Match[str]) -> str:
    start, in_cdata, text = match.groups()
    if not in_cdata:
        return start + _HALF_A_REFERENCE.sub("", text[:MAX_PERSON])
    inner, end, rest = text.partition("]]>")
    return f"{start}{inner[:MAX_PERSON]}{end}{rest[:MAX_PERSON]}"


def cadence_of(timing: Mapping[str, str]) -> Cadence | None:
    """Return how often a feed says that it should be fetched, None if it does not say.

    `timing` has the markup in `ttl` (minutes), `skipHours` and `skipDays` of RSS 2.0, and in
    `updatePeriod` and `updateFrequency` of the syndication module of RSS 1.0, in lower case.
    No feed can demand more than a day between two requests.
    """
    period = _PERIODS.get(_plain(timing.get("updateperiod", "")).lower(), 0)
    seconds = max(
        _number(timing.get("ttl", "")) * 60,
        period // max(_number(timing.get("updatefrequency", "")), 1),
    )
    # RSS 0.91 counts the hours from 1 to 24.
    hours = {int(hour) % 24 for hour in _HOUR.findall(timing.get("skiphours", ""))}
    names = _DAY.findall(timing.get("skipdays", ""))
    days = {number for name in names if (number := _DAYS.find(name[:3].lower()) // 3) >= 0}
    found = Cadence(min(seconds, _PERIODS["daily"]), tuple(sorted(hours)), tuple(sorted(days)))
    return None if found == Cadence() else found


def _plain(markup: str) -> str:
    return markup.replace("<![CDATA[", "").replace("]]>", "").strip()


def _number(markup: str) -> int:
    digits = _plain(markup)
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
