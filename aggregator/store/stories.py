"""Which article stands for a story in feeds that collapse similar ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, ColumnElement, Connection, Index, Table, delete, select

from aggregator.store import schema
from aggregator.store.dialects import Text
from aggregator.store.rows import pieces, upsert_rows

# `first` is the article that feeds show for this one: itself if it stands for the story.
story = Table(
    "story",
    schema.metadata,
    Column("code", Text, primary_key=True),
    Column("first", Text, nullable=False),
    Index("story_first", "first"),
)


def firsts(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """Return which article stands for each of the given ones, if that is decided."""
    found: dict[str, str] = {}
    for piece in pieces(sorted(codes)):
        rows = connection.execute(select(story).where(story.c.code.in_(piece)))
        found |= {code: first for code, first in rows}  # noqa: C416  # rows are no pairs to mypy
    return found


def hidden(connection: Connection) -> list[str]:
    """Return all articles that another one stands for."""
    query = select(story.c.code).where(story.c.first != story.c.code).order_by(story.c.code)
    return list(connection.execute(query).scalars())


def save(connection: Connection, decided: Mapping[str, str]) -> None:
    """Save which article stands for each of the given ones."""
    rows = [{"code": code, "first": first} for code, first in sorted(decided.items())]
    upsert_rows(connection, story, rows)


def forget_all(connection: Connection) -> None:
    """Have every article stand for itself."""
    connection.execute(delete(story))


def is_behind_another(feed: str | None) -> ColumnElement[bool]:
    """Return the condition that another article stands for one in a query.

    A feed by tag or by filter, named by its key, need not have the one that stands for the story:
    the first that it has then stands for the others.
    """
    article = schema.article
    query = select(story.c.code).where(
        story.c.code == article.c.code, story.c.first != story.c.code
    )
    if feed is not None:
        mate, arrived, selected = story.alias(), article.alias(), schema.selected.alias()
        earlier = (
            select(mate.c.code)
            .join(selected, (selected.c.code == mate.c.code) & (selected.c.feed == feed))
            .join(arrived, arrived.c.code == mate.c.code)
            .where(
                mate.c.first == story.c.first,
                (mate.c.code == story.c.first) | (arrived.c.article_id < article.c.article_id),
            )
        )
        query = query.where(earlier.correlate(story, article).exists())
    return query.correlate(article).exists()
