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


def reads_differently(article: Article | None, best: CopyFacts, poll: int) -> bool:
    """Whether both texts must be cleaned and compared to know if this is a revision."""
    return (
        article is not None
        and article.revision > 0
        and article.first_poll != poll
        and article.raw_hash != best.raw_hash
        and article.title == best.title
        and (best.is_full or not article.is_full)
    )


def decide(
    article: Article | None,
    copies: Sequence[CopyFacts],
    origin_order: Mapping[str, int],
    poll: int,
    now: datetime.datetime,
    *,
    same_text: bool = False,
    drop: bool = False,
) -> Change | None:
    """What the copies as they are now make of the article as it was.

    An article that is new in this very `poll` is decided as new again when another copy
    turns up, so the outcome does not depend on the order in which copies are found.
    `same_text` says that the best copy's raw text differs from the article's, but not
    once both are cleaned.  `drop` removes an article whose last copy went away; without
    it the article stays as it was last known.
    """
    if not copies:
        if article is None or article.removed or not drop:
            return None
        removed = replace(article, removed=True, version=article.version + 1)
        return Change(removed, "removed", frozenset({article.source}))
    best = best_copy(copies, origin_order) if len(copies) > 1 else copies[0]
    if article is None or article.revision == 0:
        # Revision 0 is only remembered: its dates were published, its text is found now.
        return _change(_shown(article, best, copies, poll, now), article, "new", revision=1)
    if article.is_full and not best.is_full:
        # The full text is no longer there to be copied, and stays.
        best = _with_text_of(article, best)
    if article.first_poll == poll and article.revision == 1 and not article.removed:
        shown = _shown(article, best, copies, poll, now)
        return _change(shown, article, "found better") if shown != article else None
    if article.raw_hash != best.raw_hash and not same_text:
        shown = _shown(article, best, copies, poll, now, revised=True)
        return _change(shown, article, "revised")
    shown = _shown(article, best, copies, poll, now)
    if article.removed:
        return _change(shown, article, "returned")
    if _visible(shown) != _visible(article):
        return _change(shown, article, "restated")
    if shown != article:
        return Change(shown, "unseen", frozenset())
    return None


def _with_text_of(article: Article, copy: CopyFacts) -> CopyFacts:
    """A copy as if it had the article's text."""
    return replace(
        copy,
        title=article.title,
        raw_hash=article.raw_hash,
        body_id=article.body_id or copy.body_id,
        media_type=article.media_type,
        is_full=True,
    )


def _change(
    shown: Article, before: Article | None, kind: str, *, revision: int | None = None
) -> Change:
    """A change that shows: of the next version, touching the old and the new source."""
    article = replace(
        shown,
        version=shown.version + 1,
        revision=shown.revision if revision is None else revision,
    )
    touched = {shown.source} if before is None else {shown.source, before.source} - {""}
    return Change(article, kind, frozenset(touched))


def _shown(
    article: Article | None,
    best: CopyFacts,
    copies: Sequence[CopyFacts],
    poll: int,
    now: datetime.datetime,
    *,
    revised: bool = False,
) -> Article:
    """The article with the best copy's fields; those that it lacks come from the others."""

    def field(name: str) -> str | None:
        value: str | None = getattr(best, name)
        if value is not None or len(copies) == 1:
            return value
        return min((other for copy in copies if (other := getattr(copy, name))), default=None)

    share_url = field("share_url")
    published = best.published
    if published is None:
        dated = [copy.published for copy in copies if copy.published is not None]
        published = min(dated, default=article.published if article else best.published_guess)
    updated = article.updated if article else None
    if revised and article is not None:
        updated = max(now, (article.updated or article.published) + _SECOND)
    if updated is not None:
        updated = max(updated, published)
    return Article(
        code=best.code,
        source=best.source,
        source_name=field("source_name") or (article.source_name if article else None),
        first_seen=article.first_seen if article else now,
        published=published,
        updated=updated,
        revision=(article.revision if article else 0) + revised,
        version=article.version if article else 0,
        first_poll=article.first_poll if article and article.revision else poll,
        title=best.title,
        raw_hash=best.raw_hash,
        body_id=best.body_id,
        media_type=best.media_type,
        link=best.link if share_url else field("link"),
        share_url=share_url,
        categories=best.categories,
        is_full=best.is_full,
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
