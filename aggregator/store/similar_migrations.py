"""The step of `migrations` that came with similar articles: for both databases."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Index, Integer, LargeBinary, MetaData, Table

from aggregator.store.dialects import Instant, Text, Whole


def similar_articles(connection: Connection) -> None:
    """Version 9: sketches of texts, similar articles, and which article stands for a story."""
    tables = MetaData()
    Table(
        "sketch",
        tables,
        Column("code", Text, primary_key=True),
        Column("source", Text, nullable=False),
        Column("published", Instant, nullable=False),
        Column("body_id", Integer, nullable=False),
        Column("rate", Integer, nullable=False),
        Column("hashes", LargeBinary, nullable=False),
        Index("sketch_published", "published"),
    )
    Table(
        "sample",
        tables,
        Column("hash", Whole, primary_key=True),
        Column("code", Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    Table(
        "similar",
        tables,
        Column("code", Text, primary_key=True),
        Column("other", Text, primary_key=True),
        Column("share", Integer, nullable=False),
        Column("overlap", Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    Table("similar_changed", tables, Column("code", Text, primary_key=True))
    Table(
        "story",
        tables,
        Column("code", Text, primary_key=True),
        Column("first", Text, nullable=False),
        Index("story_first", "first"),
    )
    Table(
        "comparing",
        tables,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("rules", LargeBinary, nullable=False),
        Column("upto", Integer, nullable=False),
        Column("until", Instant, nullable=False),
    )
    # A salvaged store that has lost its version may have them.
    tables.create_all(connection)
