"""Dates as posts write them → aware datetimes in UTC, or None.  Pure."""

from __future__ import annotations

import datetime
import re
import warnings
from zoneinfo import ZoneInfo

UTC = datetime.UTC
EARLIEST = datetime.datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime.datetime(9000, 1, 1, tzinfo=UTC)

_USUAL = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,]\d+)?)?)?"
    r"\s*(?:(Z|UTC|GMT)|([+-])(\d{2}):?(\d{2})?)?"
)
_IN_NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:-|$)")
_IN_CODE = re.compile(r"NW(\d{4})(\d{2})(\d{2})")


def parse_date(text: str, zone: ZoneInfo) -> datetime.datetime | None:
    """The instant that `text` names; without a zone of its own it is in `zone`.

    None for anything that is not a whole, existing date: 31 February, 99:99, a date
    without a year.
    """
    text = text.strip()
    match = _USUAL.fullmatch(text)
    if match is None:
        return _parse_unusual(text, zone)
    year, month, day, hour, minute, second, utc, sign, off_hours, off_minutes = match.groups()
    tz: datetime.tzinfo = zone
    if utc:
        tz = UTC
    elif sign:
        offset = datetime.timedelta(hours=int(off_hours), minutes=int(off_minutes or 0))
        if offset >= datetime.timedelta(hours=24):
            return None
        tz = datetime.timezone(-offset if sign == "-" else offset)
    return _instant(
        (int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0)), tz
    )


def date_of_name(stem: str, zone: ZoneInfo) -> datetime.datetime | None:
    """The date at the start of a Jekyll file name, at midnight in `zone`."""
    match = _IN_NAME.match(stem)
    return _midnight(match, zone) if match else None


def date_of_code(code: str, zone: ZoneInfo) -> datetime.datetime | None:
    """The date in the first eight digits of a code, at midnight in `zone`."""
    match = _IN_CODE.match(code)
    return _midnight(match, zone) if match else None


def _midnight(match: re.Match[str], zone: ZoneInfo) -> datetime.datetime | None:
    return _instant((int(match[1]), int(match[2]), int(match[3]), 0, 0, 0), zone)


def _instant(
    parts: tuple[int, int, int, int, int, int], tz: datetime.tzinfo
) -> datetime.datetime | None:
    try:
        moment = datetime.datetime(*parts, tzinfo=tz).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _parse_unusual(text: str, zone: ZoneInfo) -> datetime.datetime | None:
    """`Fri Sep 9 17:54:00 2011` and its many relatives."""
    if not 6 <= len(text) <= 60 or not any(character.isdigit() for character in text):
        return None
    from dateutil import parser

    # What the text leaves out is taken from the default: two different defaults show
    # whether year, month or day were left out.
    days = []
    for default in (datetime.datetime(2000, 1, 1), datetime.datetime(2001, 2, 2)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                days.append(parser.parse(text, default=default))
        except (ValueError, OverflowError, TypeError):
            return None
    if days[0] != days[1]:
        return None
    found = days[0]
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone)
    try:
        found = found.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
    return found if EARLIEST <= found < LATEST else None
