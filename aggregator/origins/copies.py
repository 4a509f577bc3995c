"""What was found upstream becomes a copy of an article.  Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.articles import dates, sanitize
from aggregator.articles.titles import TITLE_FROM_TEXT
from aggregator.model.articles import Copy
from aggregator.model.digests import digest
from aggregator.model.packing import pack
from aggregator.origins.parsers.feed_fields import EARLIEST, paragraphs

_TAG = re.compile(r"<[a-zA-Z/!]")


def make_copy(
    origin: str,
    location: str,
    code: str,
    html: str,
    zone: ZoneInfo,
    now: datetime.datetime,
    *,
    title: str = "",
    source: str = "",
    source_name: str = "",
    published: datetime.datetime | None = None,
    updated: datetime.datetime | None = None,
    date: str = "",
    is_full: bool = True,
    **others: Any,
) -> Copy:
    """Return the copy of an article that was found upstream; empty texts are unknown.

    `date` is the original text of a date not yet parsed; `others` are fields of `Copy` as
    they are.  A date that is unreadable, before 1990 or in the future does not count: the
    article is then of when it was `updated`, else of the day in its code, else of `now`.
    Such a guess moves no article that is known.  Raises `UnusableError` for a text beyond
    the limits of sanitizing.
    """
    sanitize.check_limits(html, sanitize.HTML)
    published = published or _parsed(date, zone)
    if published is not None and not EARLIEST <= published <= now:
        published = None
    if updated is not None and not EARLIEST <= updated <= now:
        updated = None
    guess = published or updated or dates.date_of_code(code, zone)
    return Copy(
        origin=origin,
        location=location,
        code=code,
        source=source,
        source_name=source_name or None,
        title=title,
        published=published,
        published_guess=guess if guess is not None and guess <= now else now,
        body=pack(html),
        media_type=sanitize.HTML,
        raw_hash=digest(f"{title}\0{sanitize.HTML}\0{html}".encode("utf-8", "replace")),
        is_full=is_full,
        title_guess="" if title else first_words(html),
        **others,
    )


def unreadable_dates(written: Iterable[str], zone: ZoneInfo) -> str | None:
    """Return a message about the dates that cannot be read, None if all can."""
    unreadable = [date for date in written if date and _parsed(date, zone) is None]
    if not unreadable:
        return None
    others = f", and {len(unreadable) - 1:,} more" if len(unreadable) > 1 else ""
    return f"{dates.unreadable(unreadable[0])}{others}"


def _parsed(date: str, zone: ZoneInfo) -> datetime.datetime | None:
    return dates.parse_date(date, zone) if date else None


def first_words(html: str) -> str:
    """Return the first words of a text, empty if it has none."""
    start = html[:1000]
    if start.rfind("<") > start.rfind(">"):
        start = start[: start.rfind("<")]  # half a tag would be taken for text
    return sanitize.plain_text(start, TITLE_FROM_TEXT) or sanitize.plain_text(html, TITLE_FROM_TEXT)


def as_html(text: str) -> str:
    """Return HTML as it is, and plain text as paragraphs."""
    if _TAG.search(text):
        return text
    return paragraphs(text, is_escaped=True)
