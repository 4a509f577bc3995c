"""Dates as posts write them → aware datetimes in UTC, or None.  Pure."""

from __future__ import annotations

import datetime
import re
import warnings
from collections.abc import Mapping
from zoneinfo import ZoneInfo

UTC = datetime.UTC
EARLIEST = datetime.datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime.datetime(9000, 1, 1, tzinfo=UTC)

# Full-width characters, as Chinese input methods write them.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
_ZONE = r"\s*(?:(?P<utc>Z|UTC|GMT)|(?P<sign>[+-])(?P<off>\d{2}):?(?P<off_minutes>\d{2})?)?"
_DAY = r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
_USUAL = re.compile(
    rf"{_DAY}(?:[T ]+(?P<hour>\d{{1,2}}):(?P<minute>\d{{1,2}})"
    rf"(?::(?P<second>\d{{1,2}})(?:[.,]\d+)?)?)?{_ZONE}"
)
# A colon too many, and `date`'s year after the time, are in real posts.  Jekyll does not see the
# zone after them, and makes their links without it.
_ODD = re.compile(
    rf"{_DAY}[T ]+(?P<hour>\d{{1,2}}):(?P<minute>\d{{1,2}})::?(?P<second>\d{{1,2}})"
    r"(?: (?P=year))?(?: *[+-]\d{2}:?\d{2})?"
)
_HALVES = {
    "上午": 0, "早上": 0, "早晨": 0, "清晨": 0, "凌晨": 0, "中午": 12, "下午": 12, "傍晚": 12,
    "晚上": 18, "晚间": 18, "夜间": 18, "夜里": 18, "深夜": 18,
}  # fmt: skip
_CHINESE = re.compile(
    r"(?P<year>\d{4})\s*[年/.-]\s*(?P<month>\d{1,2})\s*[月/.-]\s*(?P<day>\d{1,2})\s*[日号]?"
    r"[\s,，T]*(?:[(（]?(?:星期|周|礼拜)[一二三四五六日天][)）]?[\s,，]*)?"
    rf"(?:(?P<half>{'|'.join(_HALVES)})?\s*(?P<hour>\d{{1,2}})\s*"
    r"(?:[:时時点點]\s*(?:(?P<minute>\d{1,2})\s*(?:[:分]\s*(?:(?P<second>\d{1,2})(?:[.,]\d+)?秒?)?)?)?"
    r"|(?P<whole>[时時点點][整半])))?" + _ZONE
)
_EPOCH = re.compile(r"(?P<seconds>[1-9]\d{9})(?:\d{3}|\.\d+)?", re.ASCII)
# Digits up to this instant are seconds since 1970.
_LAST_EPOCH = datetime.datetime(2100, 1, 1, tzinfo=UTC)
_IN_NAME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:-|$)")
_IN_CODE = re.compile(r"NW(\d{4})(\d{2})(\d{2})")


def parse_date(text: str, zone: ZoneInfo) -> datetime.datetime | None:
    """Return the instant that `text` names; without a zone of its own it is in `zone`.

    Reads ISO 8601 and its relatives, dates as Chinese sites write them, seconds or
    milliseconds since 1970, and what dateutil knows.  None for anything but a complete,
    existing date: for 31 February, 99:99, or a date without a year.
    """
    text = (text if text.isascii() else text.translate(_NARROW)).strip()
    match = _USUAL.fullmatch(text) or _CHINESE.fullmatch(text)
    if match is not None:
        return _of_parts(match.groupdict(), zone)
    match = _ODD.fullmatch(text)
    if match is not None:
        return _of_parts(match.groupdict(), zone)
    match = _EPOCH.fullmatch(text)
    return _of_epoch(match["seconds"], zone) if match else _parse_unusual(text, zone)


def _of_parts(parts: Mapping[str, str | None], zone: ZoneInfo) -> datetime.datetime | None:
    """Return the instant of the groups year, month, day and so on."""
    tz: datetime.tzinfo = zone
    if parts.get("utc"):
        tz = UTC
    elif parts.get("sign"):
        offset = datetime.timedelta(
            hours=int(parts["off"] or 0), minutes=int(parts["off_minutes"] or 0)
        )
        if offset >= datetime.timedelta(hours=24):
            return None
        tz = datetime.timezone(-offset if parts["sign"] == "-" else offset)
    hour = _hour(parts.get("half"), int(parts["hour"] or 0))
    minute = 30 if (parts.get("whole") or "").endswith("半") else int(parts["minute"] or 0)
    second = int(parts["second"] or 0)
    days = 0
    if hour == 24 and not minute and not second:
        # The end of a day (ISO 8601) is the start of the next.
        hour, days = 0, 1
    if hour is None:
        return None
    date = (int(parts["year"] or 0), int(parts["month"] or 0), int(parts["day"] or 0))
    return _instant((*date, hour, minute, second), tz, days)


def _hour(half: str | None, hour: int) -> int | None:
    """Return the hour of 24 for 下午3点 and the like, None for an impossible one."""
    if half is None:
        return hour
    start = _HALVES[half]
    if start == 0:
        return hour % 12 if hour <= 12 else None
    if half == "中午":
        return hour if hour in (11, 12) else hour + 12 if hour in (1, 2) else None
    if hour >= 12:
        # 晚上12点 ends the day, 下午12点 is noon; 下午15点 already counts to 24.
        return 24 if hour == 12 and start == 18 else hour
    # 晚上1点 is the next day to some people, and this day to others.
    return hour + 12 if start == 12 or hour >= 5 else None


def _of_epoch(seconds: str, zone: ZoneInfo) -> datetime.datetime | None:
    """Return the instant `seconds` after 1970; None if the digits may be a date and an hour."""
    year, month, day, hour = (int(seconds[a:b]) for a, b in ((0, 4), (4, 6), (6, 8), (8, 10)))
    if year >= 1990 and _instant((year, month, day, hour, 0, 0), zone) is not None:
        return None
    moment = EARLIEST + datetime.timedelta(seconds=int(seconds))
    return moment if moment < _LAST_EPOCH else None


def unreadable(date: object) -> str:
    """Return the message for a date that cannot be read."""
    return f"the date {' '.join(str(date).split())[:60]!r} cannot be read"


def date_of_name(stem: str, zone: ZoneInfo) -> datetime.datetime | None:
    """Return the date at the start of a Jekyll file name, at midnight in `zone`."""
    match = _IN_NAME.match(stem)
    return _midnight(match, zone) if match else None


def date_of_code(code: str, zone: ZoneInfo) -> datetime.datetime | None:
    """Return the date in the first eight digits of a code, at midnight in `zone`."""
    match = _IN_CODE.match(code)
    return _midnight(match, zone) if match else None


def _midnight(match: re.Match[str], zone: ZoneInfo) -> datetime.datetime | None:
    return _instant((int(match[1]), int(match[2]), int(match[3]), 0, 0, 0), zone)


def _instant(
    parts: tuple[int, int, int, int, int, int], tz: datetime.tzinfo, days: int = 0
) -> datetime.datetime | None:
    """Return the instant in UTC, `days` later by the calendar; None for an impossible one."""
    try:
        local = datetime.datetime(*parts, tzinfo=tz)
        if days:
            local += datetime.timedelta(days=days)
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment < LATEST else None


def _parse_unusual(text: str, zone: ZoneInfo) -> datetime.datetime | None:
    """Return the instant of `Fri Sep 9 17:54:00 2011` and its many relatives."""
    if not 6 <= len(text) <= 60 or not any(character.isdigit() for character in text):
        return None
    from dateutil import parser

    # dateutil fills in missing parts from a default: two defaults show whether the year,
    # the month or the day is missing.
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
