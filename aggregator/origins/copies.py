"""What was found upstream → a copy of an article.  Pure."""

from __future__ import annotations

import datetime
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aggregator.articles import dates, sanitize
from aggregator.model.articles import Copy, Enclosure
from aggregator.model.digests import digest
from aggregator.model.packing import pack

_PARAGRAPH = re.compile(r"\s*\n\s*")
_TAG = re.compile(r"<[a-zA-Z/!]")
TITLE_FROM_TEXT = 60
EARLIEST = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """What an origin found of an article; empty texts are unknown.

    `date` is the date as it is written, for one that is not `published` yet.
    """

    location: str
    code: str
    html: str
    title: str = ""
    source: str = ""
    source_name: str = ""
    published: datetime.datetime | None = None
    date: str = ""
    is_full: bool = True
    link: str | None = None
    share_url: str | None = None
    base: str | None = None
    categories: tuple[str, ...] = ()
    enclosures: tuple[Enclosure, ...] = ()


def make_copy(origin: str, found: Found, zone: ZoneInfo, now: datetime.datetime) -> Copy:
    """The copy of an article.

    A date that lies, before 1990 or in the future, is none: the article is then of the
    day in its code, else of when it is first seen.  Raises `UnusableError` for a text
    beyond the cleaner's limits.
    """
    sanitize.check_limits(found.html, sanitize.HTML)
    published = found.published or _parsed(found.date, zone)
    if published is not None and not EARLIEST <= published <= now:
        published = None
    guess = published or dates.date_of_code(found.code, zone)
    return Copy(
        origin=origin,
        location=found.location,
        code=found.code,
        source=found.source,
        source_name=found.source_name or None,
        title=found.title,
        published=published,
        published_guess=guess if guess is not None and guess <= now else now,
        body=pack(found.html),
        media_type=sanitize.HTML,
        raw_hash=digest(f"{found.title}\0{sanitize.HTML}\0{found.html}".encode("utf-8", "replace")),
        is_full=found.is_full,
        link=found.link,
        share_url=found.share_url,
        base=found.base,
        categories=found.categories,
        enclosures=found.enclosures,
        title_guess="" if found.title else first_words(found.html),
    )


def unread_dates(found: Iterable[Found], zone: ZoneInfo) -> str | None:
    """What to say of dates that are there and can't be read, None if there are none."""
    unread = [
        item.date
        for item in found
        if item.date and item.published is None and _parsed(item.date, zone) is None
    ]
    if not unread:
        return None
    others = f", and {len(unread) - 1:,} more" if len(unread) > 1 else ""
    return f"{dates.unreadable(unread[0])}{others}"


def _parsed(date: str, zone: ZoneInfo) -> datetime.datetime | None:
    return dates.parse_date(date, zone) if date else None


def first_words(html: str) -> str:
    """The first words of a text, empty for one that has none."""
    return sanitize.plain_text(html[:1000], TITLE_FROM_TEXT) or sanitize.plain_text(
        html, TITLE_FROM_TEXT
    )


def as_html(text: str) -> str:
    """HTML as it is; plain text as paragraphs."""
    if _TAG.search(text):
        return text
    lines = [line for line in _PARAGRAPH.split(text.strip()) if line]
    return "\n".join(f"<p>{html.escape(html.unescape(line), quote=False)}</p>" for line in lines)
