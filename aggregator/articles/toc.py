"""A table of contents from the headings of a text, with the ids that Jekyll gives them.  Pure."""

from __future__ import annotations

import html as entities
import re
from collections import Counter

from aggregator.articles.kramdown import NO_TOC, TOC

_HEADING = re.compile(r'<h([1-6])(?: id="([^"<>]*)")?[^<>]*>(.*?)</h\1>', re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_LINK = re.compile(r"</?a\b[^<>]*>")
_UNWANTED = re.compile(r"[^\w\- \t]")
MAX_HEADINGS = 500


def with_toc(html: str) -> str:
    """Return HTML with a list of its headings in place of the marks that `kramdown` left."""
    seen: Counter[str] = Counter()
    headings = []
    for level, own, inner in _HEADING.findall(html)[:MAX_HEADINGS]:
        slug = entities.unescape(own) or _slug(inner, seen)
        if NO_TOC not in inner:
            headings.append((int(level), slug, _LINK.sub("", inner).strip()))
    return html.replace(TOC, _list(headings), 1).replace(TOC, "")


def _slug(inner: str, seen: Counter[str]) -> str:
    """Return the id that Jekyll gives a heading.

    >>> seen = Counter()
    >>> [_slug("A <b>B</b>, c", seen), _slug("A b c", seen)]
    ['a-b-c', 'a-b-c-1']
    """
    text = entities.unescape(_TAG.sub("", inner)).strip().lower()
    slug = _UNWANTED.sub("", text).replace(" ", "-").replace("\t", "-")
    seen[slug] += 1
    return slug if seen[slug] == 1 else f"{slug}-{seen[slug] - 1}"


def _list(headings: list[tuple[int, str, str]]) -> str:
    """Return nested lists of links, one for each heading (level, id, markup)."""
    parts: list[str] = []
    levels: list[int] = []
    for level, slug, inner in headings:
        while len(levels) > 1 and level < levels[-1] and level <= levels[-2]:
            levels.pop()
            parts.append("</li></ul>")
        if not levels or level > levels[-1]:
            levels.append(level)
            parts.append("<ul>")
        else:
            levels[-1] = min(level, levels[-1])
            parts.append("</li>")
        parts.append(f'<li><a href="#{entities.escape(slug)}">{inner}</a>')
    parts += ["</li></ul>"] * len(levels)
    return "".join(parts)
