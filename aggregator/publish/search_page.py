"""What a search finds → a page, with the address to subscribe to.  Pure."""

from __future__ import annotations

from aggregator.articles.sanitize import plain_text
from aggregator.articles.search_query import Query
from aggregator.model.feeds import FeedDocument
from aggregator.model.frame import Frame
from aggregator.model.search_words import MAX_LENGTH
from aggregator.publish import templates

# Characters of a text, and of those as many before the first word that was looked for.
_SHOWN, _BEFORE = 160, 40


def render(
    frame: Frame,
    written: str,
    query: Query | None = None,
    feed: FeedDocument | None = None,
    *,
    is_refused: bool = False,
    most: int = 0,
) -> bytes:
    """Return the page in UTF-8 for a query as it was written.

    Without a `query` it has only the form, and says if the query `is_refused`; `most` is how
    many entries a feed has at most.  Raises `PublishError` if the owner's template cannot be used.
    """
    entries = feed.entries if feed is not None else ()
    return templates.render(
        "search.html",
        frame,
        "",
        query=written[:MAX_LENGTH],
        longest=MAX_LENGTH,
        is_refused=is_refused,
        feed=feed,
        most=most,
        beginnings=[excerpt(entry.content, query) for entry in entries] if query else [],
    )


def excerpt(html: str, query: Query) -> str:
    """Return the words of a text around the first place of a word that was looked for."""
    text = plain_text(html)
    lowered = text.lower()
    # A word that differs in width, or has other spaces, is not found here: so be it.
    places = [lowered.find(word) for word in query.words if word in lowered]
    start = max(0, min(places, default=0) - _BEFORE)
    part = text[start : start + _SHOWN].strip()
    return f"{'…' * (start > 0)}{part}{'…' * (start + _SHOWN < len(text))}"
