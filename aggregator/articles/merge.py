"""A stored article and its copies → a change, or none.

Pure: `now` is passed in, and so is whether two different raw texts read the same.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aggregator.model.articles import NO_SOURCE, Article, Change, StoredCopy

# What the names of posts folders begin with.
POSTS = "posts:"
_NEVER = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SECOND = datetime.timedelta(seconds=1)


def best_copy(copies: Sequence[StoredCopy], origin_order: Mapping[str, int]) -> StoredCopy:
    """Return the copy to show: the one with the best text; the others fill in what it lacks.

    Full text goes before an excerpt, then a text that was corrected in its place, the
    last correction first, then the origins' order, then the newest.  The order is total,
    so it does not depend on which copy was found first.
    """
    if len(copies) == 1:
        return copies[0]
    ranked = sorted(copies, key=lambda copy: _rank(copy, origin_order), reverse=True)
    best = ranked[0]
    others = sorted(ranked[1:], key=lambda copy: origin_order.get(copy.origin, len(origin_order)))

    def field(name: str) -> Any:
        found = getattr(best, name)
        return found or next((other for copy in others if (other := getattr(copy, name))), found)

    dated = [copy for copy in (best, *others) if copy.published is not None]
    first = min(
        dated,
        key=lambda copy: origin_order.get(copy.origin, len(origin_order)),
        default=best,
    )
    return replace(
        best,
        title=field("title"),
        published=first.published,
        permalink=field("permalink"),
        link=field("link"),
        share_url=field("share_url"),
        categories=field("categories"),
        enclosures=field("enclosures"),
        author=field("author"),
    )


def _rank(copy: StoredCopy, origin_order: Mapping[str, int]) -> tuple[object, ...]:
    return (
        copy.is_full,
        copy.changed or _NEVER,
        -origin_order.get(copy.origin, len(origin_order)),
        copy.published or _NEVER,
        copy.location,
    )


def _source(
    article: Article | None,
    copies: Sequence[StoredCopy],
    origin_order: Mapping[str, int],
    poll: int,
) -> tuple[str, str | None]:
    """Return the source and its name: the source that had the article first keeps it.

    A source that no copy names any more has lost it.  Among sources in the same poll, the
    origins' order decides, and then the best text.
    """
    named = sorted(
        (copy for copy in copies if copy.source),
        key=lambda copy: _rank(copy, origin_order),
        reverse=True,
    )
    named.sort(key=lambda copy: origin_order.get(copy.origin, len(origin_order)))
    if not named and any(copy.origin.startswith(POSTS) for copy in copies):
        # A post without a category belongs to the site; other copies may just not know it.
        return NO_SOURCE, None
    key = named[0].source if named else NO_SOURCE
    if article is not None and article.source and (article.first_poll != poll or not named):
        owned = any(copy.source == article.source for copy in named)
        key = article.source if owned or not named else key
    names = [copy.source_name for copy in named if copy.source == key and copy.source_name]
    if not names and article is not None and article.source_name:
        # A name that is known stays with its source.
        names = [article.source_name] if article.source in ("", key) else []
    return key, names[0] if names else None


def reads_differently(article: Article | None, best: StoredCopy, poll: int) -> bool:
    """Return whether both texts must be sanitized and compared to tell if this is a revision."""
    return (
        article is not None
        and article.revision > 0
        and article.first_poll != poll
        and article.raw_hash != best.raw_hash
        and article.title == (best.title or article.title)
        and (best.is_full or not article.is_full)
    )


def decide(
    article: Article | None,
    copies: Sequence[StoredCopy],
    origin_order: Mapping[str, int],
    poll: int,
    now: datetime.datetime,
    *,
    same_text: bool = False,
    drop: bool = False,
) -> Change | None:
    """Return the change that the current copies make to an article, None for no change.

    An article that is new in this very `poll` counts as new again when another copy turns
    up, so the outcome does not depend on the order in which copies are found.  `same_text`
    means that the best copy's raw text differs from the article's, but not once both are
    sanitized.  `drop` removes an article whose last copy is gone; without it the article
    stays as it was.
    """
    if not copies:
        return _without_copies(article) if drop else None
    best = best_copy(copies, origin_order)
    if not best.title:
        known = article.title if article is not None and article.title else best.title_guess
        best = replace(best, title=known or best.code)
    source = _source(article, copies, origin_order, poll)
    if article is None or article.revision == 0:
        # Revision 0 is only remembered: its dates were published, its text is new.
        shown = _shown(article, best, source, poll, now, is_new=True)
        return Change(shown, "new", _sources(shown, article))
    if article.is_full and not best.is_full and article.body_id is not None:
        # The full text is gone from its origin, and stays here.
        best = _with_text_of(article, best)
    shown = _shown(article, best, source, poll, now)
    if article.first_poll == poll and article.revision == 1 and not article.removed:
        return _change(shown, article, "found better") if shown != article else None
    if (article.raw_hash != best.raw_hash and not same_text) or article.title != best.title:
        if best.is_reread and not article.removed:
            return _change(shown, article, "reread")
        shown = _shown(article, best, source, poll, now, revised=True)
        return _change(shown, article, "revised")
    return _same_text(article, shown)


def _without_copies(article: Article | None) -> Change | None:
    """Return the change that removes an article, None where there is nothing to remove."""
    if article is None or article.removed:
        return None
    removed = replace(article, removed=True, version=article.version + 1)
    return Change(removed, "removed", frozenset({article.source}))


def _same_text(article: Article, shown: Article) -> Change | None:
    """Return the change of an article whose title and text are those that it had."""
    if article.removed:
        return _change(shown, article, "returned")
    if _visible(shown) != _visible(article) or article.body_id is None:
        # The store had lost its text, and here it is again.
        return _change(shown, article, "metadata changed")
    return Change(shown, "invisible", frozenset()) if shown != article else None


def _with_text_of(article: Article, copy: StoredCopy) -> StoredCopy:
    """Return a copy with the article's text in place of its own."""
    return replace(
        copy,
        title=article.title,
        raw_hash=article.raw_hash,
        body_id=copy.body_id if article.body_id is None else article.body_id,
        media_type=article.media_type,
        base=article.base,
        is_full=True,
    )


def _change(shown: Article, before: Article, kind: str) -> Change:
    """Return a visible change: the next version, in the feeds of the old and the new source."""
    article = replace(shown, version=shown.version + 1)
    return Change(article, kind, _sources(shown, before))


def _sources(shown: Article, before: Article | None) -> frozenset[str]:
    return frozenset([shown.source] if before is None else [shown.source, before.source])


def _shown(
    article: Article | None,
    best: StoredCopy,
    source: tuple[str, str | None],
    poll: int,
    now: datetime.datetime,
    *,
    is_new: bool = False,
    revised: bool = False,
) -> Article:
    """Return the article as its best copy has it; a new one in its first version."""
    published = best.published
    if published is None:
        published = article.published if article else best.published_guess
    updated = article.updated if article else None
    if revised and article is not None:
        updated = max(now, (article.updated or article.published) + _SECOND)
    if updated is not None:
        updated = max(updated, published)
    return Article(
        code=best.code,
        source=source[0],
        source_name=source[1],
        first_seen=article.first_seen if article else now,
        published=published,
        updated=updated,
        revision=(article.revision if article else 0) + (is_new or revised),
        version=(article.version if article else 0) + is_new,
        first_poll=article.first_poll if article and article.revision else poll,
        title=best.title,
        raw_hash=best.raw_hash,
        body_id=best.body_id,
        media_type=best.media_type,
        link=best.permalink or (None if best.share_url else best.link),
        share_url=best.share_url,
        categories=best.categories,
        is_full=best.is_full,
        base=best.base,
        enclosures=best.enclosures,
        author=best.author,
        excluded_by=article.excluded_by if article else None,
        page_month=article.page_month if article else None,
    )


def _visible(article: Article) -> tuple[object, ...]:
    """Return what an entry shows beside title and text."""
    return (
        article.source,
        article.source_name,
        article.published,
        article.updated,
        article.link,
        article.share_url,
        article.categories,
        article.base,
        article.enclosures,
        article.author,
    )
