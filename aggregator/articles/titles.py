"""Titles: how long one may be, and on one line.  Pure."""

from __future__ import annotations

MAX_TITLE = 1000
# How many characters of a text stand in for a missing title.
TITLE_FROM_TEXT = 60


def one_line(text: str, limit: int = MAX_TITLE) -> str:
    """Return a text on one line, cut at `limit` characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rstrip() + "…"
