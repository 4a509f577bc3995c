"""A stored article and its copies → a change, or none (design §5).

Pure: `now` is passed in, and so is whether two different raw texts read the same.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

from aggregator.model import Article, Change, CopyFacts

_NEVER = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SECOND = datetime.timedelta(seconds=1)


def best_copy(copies: Sequence[CopyFacts], origin_order: Mapping[str, int]) -> CopyFacts:
    """The copy to show: full text before excerpt, then the origins' order, then the newest.

    The order is total, so it does not depend on which copy was found first.
    """
    return max(
        copies,
        key=lambda copy: (
            copy.is_full,
            -origin_order.get(copy.origin, len(origin_order)),
            copy.changed or _NEVER,
            copy.published or _NEVER,
            copy.location,
        ),
    )


def reads_differently(article: Article | None, best: CopyFacts) -> bool:
    """Whether both texts must be cleaned and compared to know if this is a revision."""
    return (
        article is not None
        and article.revision > 0
        and article.raw_hash != best.raw_hash
        and article.title == best.title
    )


def decide(
    article: Article | None,
    copies: Sequence[CopyFacts],
    origin_order: Mapping[str, int],
    now: datetime.datetime,
    *,
    same_text: bool = False,
    drop: bool = False,
) -> Change | None:
    """What the copies as they are now make of the article as it was.

    `same_text` says that the best copy's raw text differs from the article's, but not
    once both are cleaned.  `drop` removes an article whose last copy went away; without
    it the article stays as it was last known.
    """
    if not copies:
        if article is None or article.removed or not drop:
            return None
        removed = replace(article, removed=True, version=article.version + 1)
        return Change(removed, "removed", frozenset({article.source}))
    best = best_copy(copies, origin_order)
    if article is None:
        return Change(_new(best, copies, now), "new", frozenset({best.source}))
    shown = _shown(article, best, copies)
    if article.revision == 0:
        # Only remembered: its dates were published, its text was not known.
        found = replace(shown, revision=1, version=article.version + 1)
        return Change(found, "new", frozenset({shown.source}))
    touched = frozenset({article.source, shown.source})
    if article.raw_hash != best.raw_hash and not same_text:
        revised = replace(
            shown,
            revision=article.revision + 1,
            version=article.version + 1,
            updated=max(now, (article.updated or article.published) + _SECOND, shown.published),
        )
        return Change(revised, "revised", touched)
    if article.removed:
        return Change(replace(shown, version=article.version + 1), "returned", touched)
    if _visible(shown) != _visible(article):
        return Change(replace(shown, version=article.version + 1), "restated", touched)
    if shown != article:
        return Change(shown, "unseen", frozenset())
    return None


def _new(best: CopyFacts, copies: Sequence[CopyFacts], now: datetime.datetime) -> Article:
    blank = Article(
        code=best.code,
        source=best.source,
        source_name=None,
        first_seen=now,
        published=best.published_guess,
        updated=None,
        revision=1,
        version=1,
    )
    return replace(_shown(blank, best, copies), first_seen=now)


def _shown(article: Article, best: CopyFacts, copies: Sequence[CopyFacts]) -> Article:
    """The article with the best copy's fields; those that it lacks come from the others."""

    def first(name: str) -> str | None:
        values = [getattr(best, name)] + sorted(
            value for copy in copies if (value := getattr(copy, name)) is not None
        )
        return next((value for value in values if value is not None), None)

    dated = [copy.published for copy in copies if copy.published is not None]
    published = best.published or (min(dated) if dated else article.published)
    return replace(
        article,
        source=best.source,
        source_name=first("source_name") or article.source_name,
        published=published,
        updated=max(article.updated, published) if article.updated is not None else None,
        title=best.title,
        raw_hash=best.raw_hash,
        body_id=best.body_id,
        media_type=best.media_type,
        link=first("link"),
        share_url=first("share_url"),
        categories=best.categories,
        removed=False,
    )


def _visible(article: Article) -> tuple[object, ...]:
    """What an entry shows beside title and text."""
    return (
        article.source,
        article.source_name,
        article.published,
        article.updated,
        article.link,
        article.share_url,
        article.categories,
    )
