"""The step of `migrations` that came with indexes on conditions: for both databases."""

from __future__ import annotations

from sqlalchemy import Connection


def conditional_indexes(connection: Connection) -> None:
    """Version 10: what feeds show is counted, and what is to be read again found, by indexes."""
    # In the words of each database's queries, or they would not use the indexes.
    is_postgresql = connection.dialect.name == "postgresql"
    not_removed = "NOT removed" if is_postgresql else "removed = 0"
    young = "young" if is_postgresql else "young = 1"
    for statement in (
        "DROP INDEX IF EXISTS article_window",
        "CREATE INDEX article_window ON article (source, published DESC, code DESC) WHERE "
        f"revision > 0 AND {not_removed} AND excluded_by IS NULL",
        "CREATE INDEX IF NOT EXISTS file_unsettled ON file (path) WHERE "
        f"{young} OR length(content_hash) = 0",
        "CREATE INDEX IF NOT EXISTS published_feed ON published_file (feed) WHERE document = 0",
        "CREATE INDEX IF NOT EXISTS published_archive ON published_file (feed) WHERE document > 0",
    ):
        connection.exec_driver_sql(statement)
