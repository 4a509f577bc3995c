"""Which articles feeds by tag and by filter show."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from aggregator.model.articles import Article
from aggregator.store import schema
from aggregator.store.rows import article_from, seconds, upsert_rows
from aggregator.store.windows import codes_due

# Selections that have no feed: the articles that feeds leave out, those that pages and lists of
# titles have, and those in the search index, whose rules name the last build.
EXCLUSIONS, PAGES, SEARCH = "exclusions", "pages", "search"
OTHERS = (EXCLUSIONS, PAGES, SEARCH)


class Progress(NamedTuple):
    """The rules that a selection was made with, and up to which arrival."""

    rules: bytes
    upto: int


def progress(connection: Connection) -> dict[str, Progress]:
    """Return the progress of all selections, by name."""
    rows = connection.execute(select(schema.selection))
    return {row.name: Progress(row.rules, row.upto) for row in rows}


def save_progress(connection: Connection, selections: Mapping[str, Progress]) -> None:
    """Save the progress of selections, by name."""
    rows = [{"name": name, **now._asdict()} for name, now in selections.items()]
    upsert_rows(connection, schema.selection, rows)


def forget(connection: Connection, name: str, key: str) -> set[str]:
    """Delete a selection; return the keys of the feeds that had articles by it.

    These are `key`, or all keys that begin with it if it ends with a colon.
    """
    table = schema.selected
    ours = table.c.feed.startswith(key) if key.endswith(":") else table.c.feed == key
    found = set(connection.execute(select(table.c.feed).where(ours).distinct()).scalars())
    connection.execute(delete(schema.selection).where(schema.selection.c.name == name))
    connection.execute(delete(table).where(ours))
    return found


def arrived(connection: Connection, after: int, limit: int) -> list[tuple[int, Article]]:
    """Return the articles that arrived after number `after`, with their numbers."""
    table = schema.article
    rows = connection.execute(
        select(table).where(table.c.article_id > after).order_by(table.c.article_id).limit(limit)
    )
    return [(row.article_id, article_from(row)) for row in rows]


def feeds_of(connection: Connection, codes: Iterable[str]) -> dict[str, set[str]]:
    """Return the keys of the feeds that select the given articles, by code."""
    table = schema.selected
    found: dict[str, set[str]] = {}
    rows = connection.execute(
        select(table.c.code, table.c.feed).where(table.c.code.in_(list(codes)))
    )
    for code, feed in rows:
        found.setdefault(code, set()).add(feed)
    return found


def replace(
    connection: Connection, feeds: Mapping[str, Iterable[str]], articles: Iterable[Article]
) -> None:
    """Have each of these articles in its `feeds`, and in no other."""
    table = schema.selected
    articles = list(articles)
    connection.execute(delete(table).where(table.c.code.in_([item.code for item in articles])))
    rows = [
        {"feed": feed, "published": seconds(article.published), "code": article.code}
        for article in articles
        for feed in feeds[article.code]
    ]
    upsert_rows(connection, table, rows)


def shown_feeds(connection: Connection) -> list[str]:
    """Return the keys of all feeds with an article, in order."""
    table = schema.selected
    return list(
        connection.execute(select(table.c.feed).distinct().order_by(table.c.feed)).scalars()
    )


def feeds_due(
    connection: Connection, after: datetime.datetime, until: datetime.datetime
) -> set[str]:
    """Return the feeds with an article that is scheduled between `after` and `until`."""
    table, due = schema.selected, codes_due(connection, after, until)
    if not due:
        return set()
    return set(
        connection.execute(select(table.c.feed).where(table.c.code.in_(due)).distinct()).scalars()
    )
