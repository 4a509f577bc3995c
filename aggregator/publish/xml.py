"""XML as text, for what feedgen cannot write or is slow at.  Pure."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote, urlsplit, urlunsplit

from aggregator.articles.sanitize import without_forbidden
from aggregator.model.feeds import Image

# Media RSS, whose elements Atom and RSS use for pictures.
MEDIA = "http://search.yahoo.com/mrss/"

# RDF, whose elements may stand anywhere in Atom and RSS, with anything in them.
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XHTML = "http://www.w3.org/1999/xhtml"
# U+2060, which has no width and allows no line break.
_JOINER = "\u2060"
_TAG_OR_REFERENCE = re.compile(r"(?:<(?=[a-zA-Z/!?])|&(?=#?\w+;))")
# What validators take for HTML in a plain text.
_LIKE_HTML = re.compile(r"</\w+>")
_URI = re.compile(r"[0-9A-Za-z;/?:@&=+$.\-_!~*'(),%#]*")
_RESERVED = ";/?:@&=+$-_.!~*'(),%#[]"
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


def text_construct(name: str, text: str) -> str:
    """Return a plain text as a text construct of Atom (RFC 4287 §3.1).

    One that looks like HTML is HTML in which the text is escaped: many readers and validators
    do not believe that it is plain.
    """
    if "&" not in text and "<" not in text:
        return element(name, text)
    if _LIKE_HTML.search(text):
        return text_element(f'{name} type="html"', escape(without_forbidden(text), quote=False))
    return profiled(element(name, text))


def profiled(xml: str) -> str:
    """Return XML whose special characters are written as the RSS profile wants them.

    To a parser it is the same; validators then believe that a plain text is plain.
    """
    return xml.replace("&amp;", "&#x26;").replace("&lt;", "&#x3C;")


def address(url: str) -> str:
    """Return a URL as a URI (RFC 3986): RSS has no others, nor have many readers of Atom."""
    if _URI.fullmatch(url):
        return url
    parts = urlsplit(url)
    try:
        host = parts.netloc.encode("idna").decode()
    except UnicodeError:
        host = parts.netloc
    return quote(urlunsplit(parts._replace(netloc=host)), safe=_RESERVED, errors="replace")


def for_browsers(html: str) -> str:
    """Return XHTML in an element that no reader shows; browsers do, with a style sheet.

    Elements of XHTML by themselves are an error to validators.
    """
    return f"<rdf:Description>{html}</rdf:Description>"


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


def media_elements(image: Image) -> list[str]:
    """Return a picture as elements of Media RSS: small, for lists, and in itself."""
    size = {"width": image.width, "height": image.height}
    sizes = {key: str(value) for key, value in size.items() if value is not None}
    kind = {"type": image.media_type} if image.media_type else {}
    url = address(image.url)
    return [
        element("media:thumbnail", url=url, **sizes),
        element("media:content", url=url, medium="image", **kind, **sizes),
    ]


def _quoted(value: str) -> str:
    """Return the value of an attribute; line ends are escaped, or they would become spaces."""
    return escape(without_forbidden(value)).translate(_LINE_ENDS)
