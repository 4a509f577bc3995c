"""Validation of published files.  Pure."""

from __future__ import annotations

import datetime
from importlib import import_module

from aggregator.model.formats import FORMATS
from aggregator.publish.validate.report import Report

__all__ = ["EXTENSIONS", "Report", "validate"]

_CHECKS = {
    **{format.extension: format.check for format in FORMATS.values()},
    ".opml": "aggregator.publish.validate.xml:check_opml",
}
# Of the files that can be checked.
EXTENSIONS = frozenset(_CHECKS)


def validate(data: bytes, extension: str, now: datetime.datetime) -> Report:
    """Return all that is wrong with a file, and the ids in it; `extension` is that of its name."""
    report = Report(now)
    module, _, name = _CHECKS[extension].partition(":")
    getattr(import_module(module), name)(data, report)
    return report
