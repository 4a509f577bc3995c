"""One poll: what origins find, into the store (design §3, steps 1 to 4)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from sqlalchemy import Connection

from aggregator import content, merge
from aggregator.errors import OriginError
from aggregator.model import Article, Change, CopyFacts, PollSummary, unpack
from aggregator.origins.interface import Origin, Progress
from aggregator.store import Store, reads, writes

MERGE_AT_ONCE = 500


def poll(
    store: Store,
    origins: Iterable[Origin],
    origin_order: dict[str, int],
    dropping: frozenset[str],
    base: str,
    now: datetime.datetime,
    *,
    read_all: bool = False,
    allow_empty: bool = False,
    progress: Progress = lambda done, total: None,
) -> PollSummary:
    """Ask every origin what changed, then merge the articles that it concerns.

    Copies are stored batch by batch, each in one transaction with the state that vouches
    for it.  Articles are merged when all their copies are in, so that the outcome does
    not depend on the order in which files were read; a run that is killed before leaves
    a list of codes that the next one merges.

    `dropping` names the origins whose removed posts leave the feeds, `base` is what
    relative URLs start from where texts must be compared.
    """
    summary = PollSummary()
    for origin in origins:
        try:
            _poll_origin(
                store,
                origin,
                origin.name in dropping,
                now,
                summary,
                read_all=read_all,
                allow_empty=allow_empty,
                progress=progress,
            )
        except OriginError as error:
            summary.failures.append(str(error))
    _merge_pending(store, origin_order, base, now, summary)
    return summary


def _poll_origin(
    store: Store,
    origin: Origin,
    drops: bool,
    now: datetime.datetime,
    summary: PollSummary,
    *,
    read_all: bool,
    allow_empty: bool,
    progress: Progress,
) -> None:
    rules = origin.rules
    with store.transaction() as connection:
        read_all = read_all or reads.origin_rules(connection, origin.name) != rules
    batches = origin.poll(
        reads.file_states(store.transaction, origin.name),
        now,
        read_all=read_all,
        allow_empty=allow_empty,
        progress=progress,
    )
    for batch in batches:
        with store.transaction() as connection:
            writes.apply_batch(connection, batch, drops, now)
        summary.read += len(batch.read)
        summary.gone += len(batch.gone)
    with store.transaction() as connection:
        writes.save_origin(connection, origin.name, rules, now)


def _merge_pending(
    store: Store,
    origin_order: dict[str, int],
    base: str,
    now: datetime.datetime,
    summary: PollSummary,
) -> None:
    """Decide every article whose copies changed, some hundreds in each transaction."""
    while True:
        with store.transaction() as connection:
            waiting = reads.pending_codes(connection, MERGE_AT_ONCE)
            if not waiting:
                return
            articles = reads.articles_of(connection, waiting)
            copies = reads.copies_of(connection, waiting)
            alike = _alike(connection, articles, copies, origin_order, base)
            decided = (
                merge.decide(
                    articles.get(code),
                    copies.get(code, ()),
                    origin_order,
                    now,
                    same_text=code in alike,
                    drop=drop,
                )
                for code, drop in waiting.items()
            )
            changes: list[Change] = [change for change in decided if change is not None]
            writes.apply_changes(connection, waiting, changes, articles, now)
        summary.count(changes)


def _alike(
    connection: Connection,
    articles: dict[str, Article],
    copies: dict[str, list[CopyFacts]],
    origin_order: dict[str, int],
    base: str,
) -> set[str]:
    """Codes whose raw text changed, but that read the same once both are cleaned."""
    pairs = {}
    for code, article in articles.items():
        if code not in copies:
            continue
        best = merge.best_copy(copies[code], origin_order)
        if merge.reads_differently(article, best) and article.body_id is not None:
            pairs[code] = (article, best)
    if not pairs:
        return set()
    ids = {article.body_id for article, _ in pairs.values() if article.body_id is not None}
    texts = reads.bodies(connection, ids | {best.body_id for _, best in pairs.values()})
    return {
        code
        for code, (article, best) in pairs.items()
        if content.clean(unpack(texts[article.body_id or 0]), article.media_type, base)
        == content.clean(unpack(texts[best.body_id]), best.media_type, base)
    }
