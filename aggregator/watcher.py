"""One poll: what origins find, into the store (design §3, steps 1 to 4)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from aggregator import content, merge
from aggregator.errors import OriginError
from aggregator.model import Article, Batch, Change, CopyFacts, PollSummary, unpack
from aggregator.origins.interface import Origin, Progress
from aggregator.store import Store, reads, writes

FORGET_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class MergeRules:
    """What merging depends on beside the copies.

    `origin_order` ranks origins by name, `dropping` names those whose removed posts
    leave the feeds, and `base` is what relative URLs start from where texts are compared.
    """

    origin_order: Mapping[str, int]
    dropping: frozenset[str]
    base: str


def poll(
    store: Store,
    origins: Sequence[Origin],
    rules: MergeRules,
    now: datetime.datetime,
    *,
    read_all: bool = False,
    allow_empty: bool = False,
    progress: Progress = lambda done, total: None,
) -> PollSummary:
    """Ask every origin what changed, and merge it batch by batch.

    One transaction for each batch writes copies, articles, revisions, problems and the
    state that vouches for them.  A poll that is killed is gone on with by the next one,
    with the same outcome.
    """
    summary = PollSummary()
    with store.transaction() as connection:
        number = writes.start_poll(connection)
    for origin in origins:
        digest = origin.rules
        with store.transaction() as connection:
            must_read = read_all or reads.origin_rules(connection, origin.name) != digest
        batches = origin.poll(
            reads.file_states(store.transaction, origin.name),
            now,
            read_all=must_read,
            allow_empty=allow_empty,
            progress=progress,
        )
        try:
            for batch in batches:
                with store.transaction() as connection:
                    summary.count(_apply(connection, batch, rules, number, now))
                summary.read += len(batch.read)
                summary.gone += len(batch.gone)
        except OriginError as error:
            summary.failures.append(str(error))
            continue
        with store.transaction() as connection:
            writes.save_origin(connection, origin.name, digest, now)
    if not summary.failures:
        _forget_others(store, {origin.name for origin in origins}, rules, number, now)
    with store.transaction() as connection:
        writes.finish_poll(connection, number)
    return summary


def _forget_others(
    store: Store, names: set[str], rules: MergeRules, number: int, now: datetime.datetime
) -> None:
    """Forget the copies, problems and states of origins that are no longer configured."""
    with store.transaction() as connection:
        others = [name for name in reads.origins(connection) if name not in names]
    for name in others:
        paths = [state.path for state in reads.file_states(store.transaction, name)]
        for start in range(0, len(paths), FORGET_AT_ONCE):
            gone = tuple(paths[start : start + FORGET_AT_ONCE])
            with store.transaction() as connection:
                _apply(connection, Batch(name, gone=gone), rules, number, now)
        with store.transaction() as connection:
            writes.forget_origin(connection, name)


def _apply(
    connection: Connection, batch: Batch, rules: MergeRules, number: int, now: datetime.datetime
) -> list[Change]:
    """Store a batch, and what it makes of the articles that it concerns."""
    writes.replace_problems(connection, batch, now)
    writes.save_states(connection, batch)
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
    saved = writes.save_copies(connection, batch.copies, before, now)
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
    alike = _alike(connection, articles, copies, rules, number)
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


def _alike(
    connection: Connection,
    articles: Mapping[str, Article],
    copies: Mapping[str, list[CopyFacts]],
    rules: MergeRules,
    number: int,
) -> set[str]:
    """Codes whose raw text changed, but that read the same once both are cleaned."""
    pairs = {}
    for code, article in articles.items():
        if not copies.get(code) or article.body_id is None:
            continue
        best = merge.best_copy(copies[code], rules.origin_order)
        if merge.reads_differently(article, best, number):
            pairs[code] = (article.body_id, article.media_type, best)
    if not pairs:
        return set()
    texts = reads.bodies(
        connection, {number for old, _, best in pairs.values() for number in (old, best.body_id)}
    )
    return {
        code
        for code, (old, media_type, best) in pairs.items()
        if content.clean(unpack(texts[old]), media_type, rules.base)
        == content.clean(unpack(texts[best.body_id]), best.media_type, rules.base)
    }
