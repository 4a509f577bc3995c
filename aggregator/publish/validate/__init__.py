"""Validation of published files.  Pure."""

from __future__ import annotations

import datetime
from importlib import import_module

from aggregator.model.formats import FORMATS
from aggregator.publish.validate.report import Report

__all__ = ["ENDINGS", "Report", "validate"]

_CHECKS = {
    **{format.ending: format.check for format in FORMATS.values()},
    ".opml": "aggregator.publish.validate.xml:check_opml",
}
# Of the files that can be checked.
ENDINGS = frozenset(_CHECKS)


def validate(data: bytes, ending: str, now: datetime.datetime) -> Report:
    """Return all that is wrong with a file, and the ids in it; `ending` is that of its name."""
    report = Report(now)
    module, _, name = _CHECKS[ending].partition(":")
    getattr(import_module(module), name)(data, report)
    return report
