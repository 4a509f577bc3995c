"""FeedDocument → a page to read, with the microformats of h-feed (microformats.org)."""

from __future__ import annotations

from dataclasses import replace

from aggregator.model.feeds import Entry, FeedDocument
from aggregator.publish import templates

# So much text the page has in full; of the entries after that, it has the beginning.
MAX_TEXT = 120_000


def render(document: FeedDocument) -> bytes:
    """Return the page in UTF-8, the newest entries with their full text."""
    left = MAX_TEXT
    shown: list[tuple[Entry, bool]] = []
    for entry in document.entries:
        size = len(entry.content.encode("utf-8", "replace"))
        is_whole = (size <= left or not shown) and not document.is_excerpt
        left -= size
        if not is_whole:
            # Whole entries between cut ones would make a patchwork.
            left = 0
            entry = replace(entry, content=entry.summary)
        shown.append((entry, is_whole))
    return templates.render("feed.html", document.frame, document.root, feed=document, shown=shown)
