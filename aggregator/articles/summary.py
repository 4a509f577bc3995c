"""The summary of a text: its first words.  Pure."""

from __future__ import annotations

import re
from html import unescape

LENGTH = 200
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike"
    r"|strong|sub|sup|time|tt|u|var|wbr)\b[^>]*>"
)
_TAG = re.compile(r"<[^>]*>")


def without_inline_tags(html: str) -> str:
    """Return sanitized HTML without the tags that may stand within a word, and do not split it."""
    return _INLINE.sub("", html)


def summary_of(html: str) -> str:
    """Return the first 200 characters of sanitized HTML as plain text on one line.

    A longer text ends with an ellipsis.
    """
    size = 2 * LENGTH
    while True:
        text = _TAG.sub(" ", _INLINE.sub("", _beginning(html, size)))
        text = " ".join((unescape(text) if "&" in text else text).split())
        if len(text) > LENGTH:
            return text[:LENGTH].rstrip() + "…"
        if size >= len(html):
            return text
        size *= 4


def _beginning(html: str, size: int) -> str:
    """Return the first characters, without a tag or a character reference that is cut."""
    start = html[:size]
    if size < len(html):
        for opening, closing in ("<>", "&;"):
            cut = start.rfind(opening)
            if cut > start.rfind(closing):
                start = start[:cut]
    return start
