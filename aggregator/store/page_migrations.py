"""The step of `migrations` that came with pages of articles: for both databases."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Connection, Index, Integer, MetaData, Table, inspect

from aggregator.store.dialects import Instant, Text, Whole


def pages(connection: Connection) -> None:
    """Version 9: the pages of articles, and the lists of their titles."""
    columns = {column["name"] for column in inspect(connection).get_columns("article")}
    # A salvaged store that has lost its version may have the column and the tables.
    if "page_month" not in columns:
        connection.exec_driver_sql("ALTER TABLE article ADD COLUMN page_month VARCHAR")
    tables = MetaData()
    page = Table(
        "page",
        tables,
        Column("code", Text, primary_key=True),
        Column("day", Text),
        Column("is_written", Boolean, nullable=False),
        Index("page_day", "day"),
        sqlite_with_rowid=False,
    )
    Index("page_unwritten", page.c.code, sqlite_where=~page.c.is_written).ddl_if("sqlite")
    Index("page_to_write", page.c.is_written, page.c.code).ddl_if("postgresql")
    Table(
        "listed_day",
        tables,
        Column("day", Text, primary_key=True),
        Column("articles", Integer, nullable=False),
        Column("updated", Instant, nullable=False),
        Column("is_listed", Boolean, nullable=False),
    )
    Table(
        "page_folder",
        tables,
        Column("path", Text, primary_key=True),
        Column("mtime_ns", Whole, nullable=False),
    )
    tables.create_all(connection)
