"""XML as text, for what feedgen cannot write or is slow at.  Pure."""

from __future__ import annotations

import re
from html import escape

from aggregator.articles.sanitize import without_forbidden

# U+2060, which has no width and allows no line break.
_JOINER = "\u2060"
_TAG_OR_REFERENCE = re.compile(r"(?:<(?=[a-zA-Z/!?])|&(?=#?\w+;))")
_LINE_ENDS = {9: "&#9;", 10: "&#10;", 13: "&#13;"}
# Characters that are escaped or removed in texts and attributes.
_ODD = re.compile('[\x00-\x1f"&<>\x7f-\x9f\ud800-\udfff\ufffe\uffff]')


def element(name: str, text: str | None = None, /, **attributes: str) -> str:
    """Return `<name key="value">text</name>`, without characters that XML does not allow.

    >>> element("link", href="https://example.org/?a&b")
    '<link href="https://example.org/?a&amp;b"/>'
    """
    start = name
    for key, value in attributes.items():
        # Most values need no escaping, and a search is quicker.
        start += f' {key}="{_quoted(value) if _ODD.search(value) else value}"'
    if text is None:
        return f"<{start}/>"
    if _ODD.search(text):
        text = escape(without_forbidden(text), quote=False)
    return f"<{start}>{text}</{name}>"


def text_or_html(text: str) -> str:
    """Return `text` so that it reads the same as plain text and as HTML.

    Titles and names are plain text in RSS and OPML, but many readers treat whatever looks like
    markup as markup, while others would show an escaped character as it is.  So an invisible
    character breaks what would start a tag or a character reference.
    """
    if "<" not in text and "&" not in text:
        return text
    return _TAG_OR_REFERENCE.sub(lambda match: match[0] + _JOINER, text)


def text_element(start: str, html: str) -> str:
    """Return an element with a long text from `sanitize.sanitize`, which XML allows throughout."""
    return f"<{start}>{escape(html, quote=False)}</{start.partition(' ')[0]}>"


def _quoted(value: str) -> str:
    """Return the value of an attribute; line ends are escaped, or they would become spaces."""
    return escape(without_forbidden(value)).translate(_LINE_ENDS)
