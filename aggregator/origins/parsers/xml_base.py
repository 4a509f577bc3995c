"""URLs in the attributes of a tag, and `xml:base` for them.  Pure."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

XML_BASE = re.compile(r"\sxml:base\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
URL_ATTRIBUTE = re.compile(r"(\s(?:href|src|poster|cite)\s*=\s*)(?:\"([^\"]*)\"|'([^']*)')")
FILE_URL = re.compile(r"(\surl\s*=\s*)(?:\"([^\"]*)\"|'([^']*)')")

WEB_URL = re.compile(r"\s*(?:<!\[CDATA\[)?\s*https?://", re.IGNORECASE)
_PERMALINK = re.compile(r"\sisPermaLink\s*=\s*(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE)


def without_permalink(attributes: str) -> str:
    """Return the attributes of an id that is no URL, so that feedparser does not resolve it."""
    return f"{_PERMALINK.sub('', attributes)} isPermaLink='false'"


def resolved(base: str, match: re.Match[str]) -> str:
    """Return an attribute with its URL resolved against a base."""
    url = joined_url(base, html.unescape(match[2] or match[3] or ""))
    return f'{match[1]}"{html.escape(url)}"'


def joined_url(base: str, url: str) -> str:
    """Return a URL resolved against a base, as it is if that is not possible."""
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return url
