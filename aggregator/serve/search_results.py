"""A query → the feed of what it finds, from the store and the search index."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from aggregator.articles.content_rules import clean
from aggregator.articles.search_query import Query
from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.articles import Article
from aggregator.model.errors import StoreError
from aggregator.model.feeds import FeedDocument
from aggregator.model.packing import unpack
from aggregator.publish.publication import Publication
from aggregator.publish.search_document import search_document
from aggregator.store import renditions
from aggregator.store.articles import texts_of
from aggregator.store.copies import origins_of
from aggregator.store.database import Store
from aggregator.store.search_index import Bounds
from aggregator.store.search_update import search


def results(settings: Settings, query: Query) -> FeedDocument:
    """Return the feed of the newest articles that match.

    The store is opened for each query, and nothing of it is kept.  Raises `StoreError`.
    """
    publication = Publication.of(settings)
    address = settings.store_address
    if isinstance(address, Path) and not address.is_file():
        raise StoreError(f"{address}: no store yet")
    now = int(datetime.datetime.now(datetime.UTC).timestamp())
    limit = publication.feeds.entries
    with Store(address, dry_run=True) as store:
        articles = search(store, paths.search_path(settings), query, Bounds(now), limit)
        with store.reading() as connection:
            texts = _texts(connection, publication, articles)
    return search_document(publication, query, articles, texts)


def _texts(
    connection: Connection, publication: Publication, articles: Sequence[Article]
) -> Mapping[str, str]:
    """Return the texts as feeds show them, by code: those that a feed shows are stored."""
    content = publication.content
    stored = renditions.renditions(connection, articles, publication.sanitizing)
    raw = texts_of(connection, articles)
    origins: Mapping[str, Collection[str]] = {}
    if content.names_origins:
        origins = origins_of(connection, [article.code for article in articles])
    found = {}
    for article in articles:
        html = stored.get((article.code, article.revision))
        if html is not None:
            found[article.code] = unpack(html)
        elif article.code in raw:
            rules = content.for_text(article.source, origins.get(article.code, ()))
            text, base = unpack(raw[article.code]), publication.base(article)
            found[article.code] = clean(text, article.media_type, base, rules).html
        else:
            found[article.code] = ""
    return found
