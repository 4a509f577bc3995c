"""Lists of titles → pages, and for search engines sitemaps (sitemaps.org).  Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from itertools import groupby

from aggregator.model.pages import TitleList
from aggregator.publish import templates
from aggregator.publish.xml import element

# The protocol allows so many.
MAX_URLS = 50_000
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def render(titles: TitleList) -> bytes:
    """Return the page in UTF-8, its titles by day."""
    by_day = groupby(titles.titles, lambda title: f"{title.published:%Y-%m-%d}")
    return templates.render(
        "titles.html",
        titles.frame,
        "../" * titles.path.count("/"),
        list=titles,
        days=[(day, list(some)) for day, some in by_day],
    )


def sitemap(pages: Iterable[tuple[str, datetime.datetime]]) -> bytes:
    """Return a sitemap of pages: the URL of each, and when it last changed."""
    return _document("urlset", "url", list(pages)[:MAX_URLS])


def sitemap_index(sitemaps: Iterable[tuple[str, datetime.datetime]]) -> bytes:
    """Return an index of sitemaps: the URL of each, and when one of its pages last changed."""
    return _document("sitemapindex", "sitemap", list(sitemaps)[:MAX_URLS])


def _document(root: str, item: str, pages: Iterable[tuple[str, datetime.datetime]]) -> bytes:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<{root} xmlns="{_NAMESPACE}">',
        *(
            f"<{item}>{element('loc', url)}{element('lastmod', changed.isoformat())}</{item}>"
            for url, changed in pages
        ),
        f"</{root}>",
        "",
    ]
    return "\n".join(lines).encode()
