"""XML text, for what the feed library leaves out or is slow at.  Pure."""

from __future__ import annotations

import re
from html import escape

from aggregator.articles.sanitize import without_forbidden

# U+2060, which has no width and allows no line break.
_JOINER = "\u2060"
_TAG_OR_REFERENCE = re.compile(r"(?:<(?=[a-zA-Z/!?])|&(?=#?\w+;))")
_LINE_ENDS = {9: "&#9;", 10: "&#10;", 13: "&#13;"}
# What must not stand in a text or between double quotes as it is.
_ODD = re.compile('[\x00-\x1f"&<>\x7f-\x9f\ud800-\udfff\ufffe\uffff]')


def element(name: str, text: str | None = None, /, **attributes: str) -> str:
    """`<name key="value">text</name>`, less the characters that XML has no place for.

    >>> element("link", href="https://example.org/?a&b")
    '<link href="https://example.org/?a&amp;b"/>'
    """
    start = name
    for key, value in attributes.items():
        # Most values need no care, and finding that out is all that it costs.
        start += f' {key}="{_quoted(value) if _ODD.search(value) else value}"'
    if text is None:
        return f"<{start}/>"
    if _ODD.search(text):
        text = escape(without_forbidden(text), quote=False)
    return f"<{start}>{text}</{name}>"


def text_or_html(text: str) -> str:
    """`text` so that it says the same to a reader that takes it for HTML as to one that doesn't.

    Titles and names are plain text in RSS and OPML, but many readers take whatever looks
    like mark-up for mark-up, and the others would show an escape as it is.  So what would
    start a tag or a character reference is parted by a character that nobody sees.
    """
    if "<" not in text and "&" not in text:
        return text
    return _TAG_OR_REFERENCE.sub(lambda match: match[0] + _JOINER, text)


def text_element(start: str, clean: str) -> str:
    """The same for a long text that `sanitize.clean` has made: nothing in it is forbidden."""
    return f"<{start}>{escape(clean, quote=False)}</{start.partition(' ')[0]}>"


def _quoted(value: str) -> str:
    """A value of an attribute; line ends would be read back as spaces."""
    return escape(without_forbidden(value)).translate(_LINE_ENDS)
