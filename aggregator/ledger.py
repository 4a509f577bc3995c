"""One batch → what the store makes of it (design §3, steps 3 and 4).

Polls of every kind end here, and each batch in one transaction: copies, articles,
revisions, problems, and the state that vouches for them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from aggregator import content, merge
from aggregator.identity import is_code
from aggregator.model import Article, Batch, Change, Copy, CopyFacts, Problem
from aggregator.packing import unpack
from aggregator.store import reads, urls, writes

SHARES = "shares"


@dataclass(frozen=True, slots=True)
class MergeRules:
    """What merging depends on beside the copies.

    `origin_order` ranks origins by name, `dropping` names those whose removed posts
    leave the feeds, and `base` is what relative URLs start from where texts are compared.
    """

    origin_order: Mapping[str, int]
    dropping: frozenset[str]
    base: str


def apply(
    connection: Connection, batch: Batch, rules: MergeRules, number: int, now: datetime.datetime
) -> list[Change]:
    """Store a batch, and what it makes of the articles that it concerns.

    `number` is that of the poll (see `writes.start_poll`).
    """
    batch = _recognised(connection, batch)
    writes.replace_problems(connection, batch, now)
    writes.save_states(connection, batch)
    urls.save(connection, batch.origin, batch.urls)
    urls.want(connection, SHARES, batch.pages, now)
    leaving = (*batch.gone, *batch.withdrawn)
    arriving = {copy.location for copy in batch.copies}
    before = reads.copies_at(connection, batch.origin, (*leaving, *arriving))
    codes = {copy.code for copy in batch.copies} | {copy.code for copy in before.values()}
    if not codes:
        return []
    copies = reads.copies_of(connection, codes)
    articles = reads.articles_of(connection, codes)
    if leaving:
        writes.forget_copies(connection, batch.origin, leaving)
    readings = _Readings(connection, rules.base, before.values())
    found = readings.of_changed(batch.copies, before)
    unchanged = arriving if batch.is_reread else readings.unchanged(found, before)
    saved = writes.save_copies(connection, found, before, now, unchanged)
    for code, known in copies.items():
        copies[code] = [
            copy for copy in known if copy.origin != batch.origin or copy.location not in before
        ]
    for fact in saved:
        copies.setdefault(fact.code, []).append(fact)

    is_dropping = batch.origin in rules.dropping
    dropped = {
        before[location].code
        for location in (leaving if is_dropping else batch.withdrawn)
        if location in before
    }
    # A file that now names another article takes the one it named before with it.
    dropped |= {
        before[copy.location].code
        for copy in batch.copies
        if copy.location in before and before[copy.location].code != copy.code
    }
    best = {
        code: merge.best_copy(known, rules.origin_order) for code, known in copies.items() if known
    }
    alike = readings.alike(articles, best, number)
    decided = (
        merge.decide(
            articles.get(code),
            copies.get(code, ()),
            rules.origin_order,
            number,
            now,
            same_text=code in alike,
            drop=code in dropped,
        )
        for code in sorted(codes)
    )
    changes = [change for change in decided if change is not None]
    writes.save_changes(connection, changes, articles)
    return changes


def _recognised(connection: Connection, batch: Batch) -> Batch:
    """The batch, with articles that came under new ids as the articles that they are.

    An upstream feed that renames its entries must not republish them: what has no code,
    an unknown id, and the link and the text (or title) of one article, is that article.
    """
    nameless = [copy for copy in batch.copies if copy.link and not is_code(copy.code)]
    if not nameless:
        return batch
    known = reads.articles_of(connection, {copy.code for copy in nameless})
    strange = [copy for copy in nameless if copy.code not in known]
    by_link = urls.codes_by_link(connection, {copy.link for copy in strange if copy.link})
    candidates = reads.articles_of(
        connection, {code for codes in by_link.values() for code in codes}
    )
    found: dict[str, str] = {}
    for copy in strange:
        for code in by_link.get(copy.link or "", ()):
            article = candidates.get(code)
            if article is not None and (
                article.raw_hash == copy.raw_hash or article.title == copy.title
            ):
                found[copy.code] = code
    if not found:
        return batch
    place = batch.read[0] if batch.read else batch.origin
    reason = f"{len(found):,} entries came with new ids; known by link and text, they stay as is"
    return replace(
        batch,
        copies=tuple(replace(copy, code=found.get(copy.code, copy.code)) for copy in batch.copies),
        problems=(*batch.problems, Problem(place, reason)),
    )


class _Readings:
    """Whether texts that differ read the same once both are cleaned by today's rules.

    Each text is cleaned once: what came of it is stored with the copy.
    """

    def __init__(self, connection: Connection, base: str, known: Iterable[CopyFacts]) -> None:
        self._connection = connection
        self._base = base
        self._by_body = {
            copy.body_id: copy.reading for copy in known if content.is_reading(copy.reading)
        }

    def of_changed(self, copies: Sequence[Copy], before: Mapping[str, CopyFacts]) -> list[Copy]:
        """The copies, those that changed in their place with their readings."""
        return [
            replace(copy, reading=self._read(copy.body, copy.media_type, copy.base))
            if _changed(copy, before) and not content.is_reading(copy.reading)
            else copy
            for copy in copies
        ]

    def unchanged(self, copies: Sequence[Copy], before: Mapping[str, CopyFacts]) -> set[str]:
        """The locations of copies whose raw text differs, but reads as it did."""
        changed = [copy for copy in copies if _changed(copy, before)]
        self._load(before[copy.location] for copy in changed)
        return {
            copy.location
            for copy in changed
            if self._by_body[before[copy.location].body_id] == copy.reading
        }

    def alike(
        self, articles: Mapping[str, Article], best: Mapping[str, CopyFacts], number: int
    ) -> set[str]:
        """The codes of articles whose best copy differs, but reads as they do."""
        pairs = [
            (article, best[code])
            for code, article in articles.items()
            if code in best
            and article.body_id is not None
            and merge.reads_differently(article, best[code], number)
        ]
        self._by_body |= {
            copy.body_id: copy.reading for _, copy in pairs if content.is_reading(copy.reading)
        }
        self._load(shown for pair in pairs for shown in pair)
        return {
            article.code
            for article, copy in pairs
            if self._by_body[article.body_id or 0] == self._by_body[copy.body_id]
        }

    def _load(self, wanted: Iterable[Article | CopyFacts]) -> None:
        """Read the stored texts of which nothing is known yet."""
        missing = {
            item.body_id: item
            for item in wanted
            if item.body_id is not None and item.body_id not in self._by_body
        }
        for body_id, body in reads.bodies(self._connection, missing).items():
            item = missing[body_id]
            self._by_body[body_id] = self._read(body, item.media_type, item.base)

    def _read(self, body: bytes, media_type: str, base: str | None) -> bytes:
        return content.reading(unpack(body), media_type, base or self._base)


def _changed(copy: Copy, before: Mapping[str, CopyFacts]) -> bool:
    """Whether a copy's text differs in its place; with another title it surely reads so."""
    old = before.get(copy.location)
    return old is not None and old.raw_hash != copy.raw_hash and old.title == copy.title
