"""The authors of an article, as one line of text.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aggregator.articles import sanitize
from aggregator.articles.titles import one_line

MAX_AUTHOR = 200
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


def author_of(names: Iterable[object]) -> str | None:
    """Return the names of an entry's authors, each once; e-mail addresses are not published."""
    found = (
        one_line(sanitize.without_forbidden(sanitize.plain_text(name)), MAX_AUTHOR)
        for name in names
        if isinstance(name, str)
    )
    unique = dict.fromkeys(name for name in found if name and not _EMAIL.fullmatch(name))
    return one_line(", ".join(unique), MAX_AUTHOR) or None
