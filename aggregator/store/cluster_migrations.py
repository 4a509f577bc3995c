"""The steps of `migrations` that came with stores in PostgreSQL: for both databases."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, inspect

from aggregator.store.dialects import Text


def machines(connection: Connection) -> None:
    """Version 8: the machines that work on a store, and what they agree in."""
    for statement in (
        "CREATE TABLE IF NOT EXISTS machine (name VARCHAR NOT NULL PRIMARY KEY, "
        "roles VARCHAR NOT NULL, place VARCHAR NOT NULL, version VARCHAR NOT NULL, "
        "joined_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, done INTEGER NOT NULL, "
        "hosts VARCHAR NOT NULL)",
        "CREATE TABLE IF NOT EXISTS agreement (section VARCHAR NOT NULL PRIMARY KEY, "
        "digest BLOB NOT NULL)",
    ):
        connection.exec_driver_sql(statement)


def etags(connection: Connection) -> None:
    """Version 8: the ETags of files that are published in object storage."""
    columns = {column["name"] for column in inspect(connection).get_columns("published_file")}
    # A salvaged store that has lost its version may have the column.
    if "etag" not in columns:
        connection.exec_driver_sql(
            "ALTER TABLE published_file ADD COLUMN etag VARCHAR DEFAULT '' NOT NULL"
        )


def shared_state(connection: Connection) -> None:
    """Version 8: lists of feeds at URLs, and the token that tells that something was written."""
    tables = MetaData()
    Table(
        "write_token",
        tables,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("token", Text, nullable=False),
    )
    Table(
        "feed_list",
        tables,
        Column("url", Text, primary_key=True),
        Column("document", LargeBinary, nullable=False),
    )
    # A salvaged store that has lost its version may have them.
    tables.create_all(connection)
