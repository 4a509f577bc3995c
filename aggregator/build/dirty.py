"""Which feeds become dirty when articles get other similar ones."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from aggregator.model.feeds import COMBINED, key_of
from aggregator.store import published, selected, similar
from aggregator.store.articles import articles_of
from aggregator.store.rows import pieces


def note_changed(connection: Connection, codes: Collection[str]) -> None:
    """Note that articles have other similar ones, so that the feeds that show them are compared."""
    similar.note_changed(connection, codes)
    for piece in pieces(sorted(codes)):
        articles = articles_of(connection, piece).values()
        keys = {key_of("source", article.source) for article in articles if article.source}
        keys = keys.union(*selected.feeds_of(connection, piece).values())
        published.mark_dirty(connection, {*keys, COMBINED})
