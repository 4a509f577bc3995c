"""Links within a text: to its headings and notes.  Pure.

A feed reader shows many texts in one page and keeps no ids: such a link leads to the place on
the article's own page, where that is known.
"""

from __future__ import annotations

import html
import re

# As the sanitizer writes them: no angle bracket in an attribute, no link in a link.
_LINK = re.compile(r'<a((?: [^<>]*)?) href="(#[^"]*)"([^<>]*)>(.*?)</a>', re.DOTALL)


def with_page(text: str, page: str | None) -> str:
    """Return sanitized HTML whose links within the text lead to the article's page.

    Without a page their words stay, and the links go.
    """
    if 'href="#' not in text:
        return text
    address = html.escape(page.partition("#")[0]) if page else ""

    def link(match: re.Match[str]) -> str:
        return f'<a{match[1]} href="{address}{match[2]}"{match[3]}>{match[4]}</a>'

    return _LINK.sub(link if page else r"\4", text)
