"""Merge one batch into the store.

Polls of every kind end here.  One transaction saves a batch's copies, articles, revisions,
problems, and the state that vouches for them.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from aggregator.articles import merge
from aggregator.articles.content_rules import NO_RULES, ContentRules, clean
from aggregator.config.schema import Settings
from aggregator.model.articles import Article, Change, Copy, StoredCopy
from aggregator.model.digests import digest
from aggregator.model.kinds import SHARES
from aggregator.model.packing import unpack
from aggregator.model.polls import Batch
from aggregator.poll import recognition, same_paths
from aggregator.store import archive_places, problems, urls
from aggregator.store.articles import articles_of, bodies_of, save_changes
from aggregator.store.copies import copies_at, copies_of, forget_copies, origins_of, save_copies
from aggregator.store.origins import save_states
from aggregator.store.shared import save_feed_lists

NO_POLL = 0


@dataclass(frozen=True, slots=True)
class MergeRules:
    """The settings that merging depends on.

    `origin_order` ranks origins by name, `dropping` names those whose removed posts
    leave the feeds, and `folders` are the paths of posts folders by origin.  Texts are
    compared as feeds show them: with relative URLs from `base`, by the rules of `content`.
    """

    origin_order: Mapping[str, int]
    dropping: frozenset[str]
    base: str
    content: ContentRules = NO_RULES
    folders: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> MergeRules:
        """Return the rules that the settings make."""
        return cls(
            {name: number for number, name in enumerate(settings.origin_names)},
            frozenset(posts.name for posts in settings.posts if posts.when_removed == "drop"),
            settings.site.url,
            ContentRules(settings.rules),
            {posts.name: posts.path for posts in settings.posts},
        )


def apply(
    connection: Connection, batch: Batch, rules: MergeRules, number: int, now: datetime.datetime
) -> list[Change]:
    """Save a batch, and return the changes of articles that follow from it.

    `number` is that of the poll (see `origins.start_poll`).
    """
    batch = recognition.recognised(connection, batch)
    batch = same_paths.told_apart(connection, batch, rules.folders)
    problems.replace(connection, batch, now)
    save_states(connection, batch)
    urls.save(connection, batch.origin, batch.urls)
    urls.fetch_soon(connection, SHARES, batch.pages, now)
    save_feed_lists(connection, dict(batch.lists))
    locations = (*batch.gone, *batch.withdrawn, *(copy.location for copy in batch.copies))
    before = copies_at(connection, batch.origin, locations)
    codes = {copy.code for copy in batch.copies} | {copy.code for copy in before.values()}
    if not codes:
        return []
    articles = _published_ones_settled(connection, articles_of(connection, codes), number)
    texts = _Texts(connection, rules)
    origins = origins_of(connection, codes) if rules.content.names_origins else {}
    copies = _save_copies(connection, batch, before, codes, texts, now)
    best = {code: merge.best_copy(known, rules.origin_order) for code, known in copies.items()}
    unchanged = texts.unchanged_articles(articles, best, number)
    dropped = _dropped(batch, before, rules)
    decided = (
        merge.decide(
            articles.get(code),
            copies.get(code, ()),
            rules.origin_order,
            number,
            now,
            same_text=code in unchanged,
            drop=code in dropped,
        )
        for code in sorted(codes)
    )
    changes = [change for change in decided if change is not None]
    if rules.content.names_origins:
        changes = _with_other_origins(changes, articles, origins, copies)
    save_changes(connection, changes, articles)
    problems.forget_losses(connection, {copy.code for copy in batch.copies})
    return changes


def _published_ones_settled(
    connection: Connection, articles: Mapping[str, Article], number: int
) -> Mapping[str, Article]:
    """Return the articles; those that an archive has are not new any more, even in this poll.

    A better text of such an article is a revision, which the archive then gets as well.
    """
    new = {
        code: article.source for code, article in articles.items() if article.first_poll == number
    }
    settled = archive_places.in_archives(connection, new) if new else set()
    return {
        code: replace(article, first_poll=NO_POLL) if code in settled else article
        for code, article in articles.items()
    }


def _with_other_origins(
    changes: Sequence[Change],
    articles: Mapping[str, Article],
    before: Mapping[str, Collection[str]],
    copies: Mapping[str, Sequence[StoredCopy]],
) -> list[Change]:
    """Return the changes, and one for each article that other content rules apply to now."""
    found = {change.article.code: change for change in changes}
    for code, article in articles.items():
        origins = {copy.origin for copy in copies.get(code, ())}
        change = found.get(code)
        is_seen = change is not None and change.kind in ("new", "revised", "reread", "removed")
        if not article.revision or is_seen or origins == set(before.get(code, ())):
            continue
        now = change.article if change is not None else article
        sources = change.sources if change is not None else frozenset[str]()
        again = replace(now, version=now.version + 1)
        found[code] = Change(again, "reread", sources | {article.source, now.source})
    return list(found.values())


def _save_copies(
    connection: Connection,
    batch: Batch,
    before: Mapping[str, StoredCopy],
    codes: Collection[str],
    texts: _Texts,
    now: datetime.datetime,
) -> dict[str, list[StoredCopy]]:
    """Replace a batch's copies; return all copies of the articles with the given codes, by code."""
    copies: dict[str, list[StoredCopy]] = {}
    for copy in copies_of(connection, codes):
        if copy.origin != batch.origin or copy.location not in before:
            copies.setdefault(copy.code, []).append(copy)
    forget_copies(connection, batch.origin, (*batch.gone, *batch.withdrawn))
    unchanged = {copy.location for copy in batch.copies if copy.is_reread}
    changed = [copy for copy in batch.copies if not copy.is_reread]
    unchanged |= texts.unchanged_copies(changed, before)
    for copy in save_copies(connection, batch.copies, before, now, unchanged):
        copies.setdefault(copy.code, []).append(copy)
    return copies


def _dropped(batch: Batch, before: Mapping[str, StoredCopy], rules: MergeRules) -> set[str]:
    """Return the codes of the articles that leave the feeds if they have no other copy."""
    leaving = {*batch.withdrawn, *(batch.gone if batch.origin in rules.dropping else ())}
    dropped = {before[location].code for location in leaving if location in before}
    # A file that now names another article withdraws the one that it named before.
    for copy in batch.copies:
        old = before.get(copy.location)
        if old is not None and old.code != copy.code:
            dropped.add(old.code)
    return dropped


class _Texts:
    """Compares texts as they read once sanitized by today's rules.

    Each text is sanitized once.
    """

    def __init__(self, connection: Connection, rules: MergeRules) -> None:
        self._connection = connection
        self._rules = rules
        self._sanitized: dict[bytes, str] = {}

    def unchanged_copies(
        self, copies: Sequence[Copy], before: Mapping[str, StoredCopy]
    ) -> set[str]:
        """Return the locations of copies whose raw text changed, but reads as before."""
        pairs = [
            (before[copy.location], copy)
            for copy in copies
            if copy.location in before
            and before[copy.location].raw_hash != copy.raw_hash
            and before[copy.location].title == copy.title
        ]
        bodies = self._bodies(old.body_id for old, _ in pairs)
        return {
            copy.location
            for old, copy in pairs
            if self._read(bodies[old.body_id], old, old.source, old.origin)
            == self._read(copy.body, copy, copy.source, copy.origin)
        }

    def unchanged_articles(
        self,
        articles: Mapping[str, Article],
        best: Mapping[str, StoredCopy],
        number: int,
    ) -> set[str]:
        """Return the codes of articles whose best copy differs, but reads as they do."""
        pairs = [
            (article, article.body_id, best[code])
            for code, article in articles.items()
            if code in best
            and article.body_id is not None
            and merge.reads_differently(article, best[code], number)
        ]
        bodies = self._bodies(
            body_id for _, shown, copy in pairs for body_id in (shown, copy.body_id)
        )
        return {
            article.code
            for article, shown, copy in pairs
            if self._read(bodies[shown], article, article.source, copy.origin)
            == self._read(bodies[copy.body_id], copy, article.source, copy.origin)
        }

    def _bodies(self, body_ids: Iterable[int]) -> dict[int, bytes]:
        wanted = set(body_ids)
        return bodies_of(self._connection, wanted) if wanted else {}

    def _read(
        self, body: bytes, item: Article | Copy | StoredCopy, source: str, origin: str
    ) -> str:
        base = item.base or self._rules.base
        rules = self._rules.content.for_text(source, [origin])
        key = digest(repr((body, item.media_type, base, rules)).encode())
        if key not in self._sanitized:
            self._sanitized[key] = clean(unpack(body), item.media_type, base, rules).html
        return self._sanitized[key]
