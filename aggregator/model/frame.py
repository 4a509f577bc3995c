"""What all HTML pages of a site have in common, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """What all pages of a site have in common.

    `title` and `site_url` are those of the site, `url` is that of the feeds folder.  `templates`
    are the owner's own, pairs of a name and a text.  `has_index` says whether there is a page
    to subscribe from, `has_search` whether pages link to a search, and `has_pages` whether there
    are pages to read.
    """

    title: str = ""
    site_url: str = ""
    url: str = ""
    language: str = "en"
    icon: str | None = None
    has_index: bool = False
    has_search: bool = False
    has_pages: bool = True
    templates: tuple[tuple[str, str], ...] = ()
