"""What an entry says of other entries that tell the same story."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from aggregator.model.articles import Article
from aggregator.model.feeds import Entry, FeedDocument, Related, SourceName
from aggregator.publish.documents import make_entry
from aggregator.publish.publication import Publication
from aggregator.store import similar
from aggregator.store.articles import articles_of

# How many an entry names; of the rest it says how many they are.
NAMED = 10


class AlsoReported(NamedTuple):
    """The related entries that an entry names, and how many there are beside them."""

    named: tuple[Related, ...] = ()
    more: int = 0


def also_reported(
    publication: Publication,
    connection: Connection,
    articles: Sequence[Article],
    now: datetime.datetime,
    names: Callable[[Collection[Article]], Mapping[str, SourceName]],
) -> tuple[AlsoReported, ...]:
    """Return what the entries of articles say, in the same order; empty if none says anything.

    `names` returns the sources of articles by their keys.
    """
    if publication.feeds.similar == "show":
        return ()
    found = similar.similar_to(connection, [article.code for article in articles], now)
    if not found:
        return ()
    codes = {other.code for others in found.values() for other in others[:NAMED]}
    others = articles_of(connection, codes)
    sources = names(others.values())
    entries = {
        code: make_entry(publication, article, sources[article.source])
        for code, article in others.items()
    }
    related = {
        code: Related(entry.title, entry.alternate, entry.source.name)
        for code, entry in entries.items()
    }
    return tuple(
        AlsoReported(
            tuple(related[other.code] for other in near[:NAMED]), max(len(near) - NAMED, 0)
        )
        for near in (found.get(article.code, ()) for article in articles)
    )


def with_related(document: FeedDocument, also: Sequence[AlsoReported]) -> FeedDocument:
    """Return a document whose entries say what `also_reported` found."""
    if not also:
        return document
    entries = (with_also(*pair) for pair in zip(document.entries, also, strict=True))
    return replace(document, entries=tuple(entries))


def with_also(entry: Entry, found: AlsoReported) -> Entry:
    """Return an entry that says what `also_reported` found."""
    return replace(entry, related=found.named, more_related=found.more)
