"""What a strict validator would say of published files.  Pure."""

from __future__ import annotations

import datetime

from aggregator.publish.validate.json_feed import check_json_feed
from aggregator.publish.validate.report import Report
from aggregator.publish.validate.xml import check_atom, check_opml, check_rss

__all__ = ["Report", "validate"]

_CHECKS = {
    ".atom": check_atom,
    ".rss": check_rss,
    ".json": check_json_feed,
    ".opml": check_opml,
}


def validate(data: bytes, ending: str, now: datetime.datetime) -> Report:
    """All that is wrong with a file, and the ids in it; `ending` says what it is to be."""
    report = Report(now)
    _CHECKS[ending](data, report)
    return report
