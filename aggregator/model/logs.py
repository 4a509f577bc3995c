"""Log lines for journald, for a terminal, or as JSON: one line per event."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import sys
from collections.abc import Mapping
from typing import Literal

from aggregator.model.terminal import json_text, printable

LOGGER = logging.getLogger("aggregator")
Format = Literal["text", "json"]
# The prefix of a line at each level, from sd-daemon(3).
_LEVELS = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))


def set_up(style: Format, level: int, environment: Mapping[str, str] = os.environ) -> None:
    """Send log lines to standard error, with a level prefix where journald reads them."""
    handler = _StandardError()
    handler.setFormatter(
        _Json() if style == "json" else _Text(for_journal="JOURNAL_STREAM" in environment)
    )
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level)
    LOGGER.propagate = False


class _StandardError(logging.Handler):
    _is_torn = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line at once.

        One that cannot be written is dropped: there is nobody to tell, and the work goes on.
        """
        try:
            text = self.format(record) + "\n"
        except Exception:  # noqa: BLE001  # a defect of ours, which must not end the daemon
            self.handleError(record)
            return
        line = text.encode(sys.stderr.encoding or "utf-8", "backslashreplace")
        with contextlib.suppress(OSError):
            if self._is_torn:
                # Only its beginning was written of the line before.
                line = b"\n" + line
            self._is_torn = os.write(sys.stderr.fileno(), line) < len(line)


class _Text(logging.Formatter):
    def __init__(self, *, for_journal: bool) -> None:
        super().__init__()
        self._for_journal = for_journal

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; journald adds the time itself."""
        line = printable(" ".join(super().format(record).splitlines()))
        if self._for_journal:
            prefix = next((mark for level, mark in _LEVELS if record.levelno >= level), 7)
            return f"<{prefix}>{line}"
        moment = datetime.datetime.fromtimestamp(record.created).astimezone()
        return f"{moment:%Y-%m-%d %H:%M:%S} {record.levelname.lower()}: {line}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return an object on one line."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        values: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        values |= getattr(record, "values", {})
        return json_text(values)
