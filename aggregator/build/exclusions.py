"""Which articles the owner's content rules keep out of all feeds.

Every article is examined once when it arrives, and again when it or the rules have changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import Connection

from aggregator.articles.content_rules import words_of
from aggregator.model.articles import Article, Change
from aggregator.model.packing import unpack
from aggregator.model.reports import Report, no_report
from aggregator.publish.publication import Publication
from aggregator.store import published, selected
from aggregator.store.articles import articles_of, save_changes, texts_of
from aggregator.store.copies import origins_of
from aggregator.store.database import Store
from aggregator.store.selected import EXCLUSIONS, Progress
from aggregator.store.windows import last_arrival

BATCH = 500


def update(store: Store, publication: Publication, report: Report = no_report) -> None:
    """Bring the exclusions up to date.

    An article that is excluded leaves its feeds as a removed one does; one that no longer is
    comes back.
    """
    content = publication.content
    with store.transaction() as connection:
        known = selected.progress(connection).get(EXCLUSIONS)
        if known is None and not content.excludes:
            return
        is_current = known is not None and known.rules == content.exclusion_digest
        upto = known.upto if known is not None and is_current else 0
        codes = sorted(published.changed_codes(connection)) if is_current else []
    for start in range(0, len(codes), BATCH):
        with store.transaction() as connection:
            _examine(connection, publication, articles_of(connection, codes[start : start + BATCH]))
    while True:
        with store.transaction() as connection:
            new = selected.arrived(connection, upto, BATCH)
            _examine(connection, publication, {article.code: article for _, article in new})
            upto = new[-1][0] if new else upto
            if len(new) == BATCH or content.excludes:
                progress = Progress(content.exclusion_digest, upto)
                selected.save_progress(connection, {EXCLUSIONS: progress})
            else:
                selected.forget(connection, EXCLUSIONS, EXCLUSIONS)
            last = last_arrival(connection) if len(new) == BATCH else upto
        if len(new) < BATCH:
            return
        report("rules", upto, last)


def _examine(
    connection: Connection, publication: Publication, articles: Mapping[str, Article]
) -> None:
    content = publication.content
    shown = [article for article in articles.values() if article.revision]
    origins = origins_of(connection, articles) if content.names_origins else {}
    texts = texts_of(connection, shown) if content.reads_texts else {}
    changes = []
    for article in shown:
        number = content.excluded_by(
            article.source,
            origins.get(article.code, ()),
            _authors(publication, article),
            article.title,
            words_of(unpack(texts[article.code]), article.media_type, publication.base(article))
            if article.code in texts
            else "",
        )
        if number != article.excluded_by:
            changes.append(_change(article, number))
    save_changes(connection, changes, articles)


def _change(article: Article, number: int | None) -> Change:
    """Return the change of an article that rule `number` excludes now, None for no rule."""
    now = replace(article, excluded_by=number)
    if article.removed or None not in (number, article.excluded_by):
        return Change(now, "invisible", frozenset())
    kind = "returned" if number is None else "removed"
    return Change(replace(now, version=now.version + 1), kind, frozenset({article.source}))


def _authors(publication: Publication, article: Article) -> Collection[str]:
    """Return the names of an entry's authors, and the whole: a single name may have a comma."""
    source = publication.source_name(article.source, article.source_name)
    author = publication.author_of(article, source)
    return {author, *author.split(", ")}
