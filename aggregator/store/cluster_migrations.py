"""The steps of `migrations` for sites of many machines; each works on both databases."""

from __future__ import annotations

from sqlalchemy import Connection, inspect


def etags(connection: Connection) -> None:
    """Version 8: the ETags of files that are published in object storage."""
    columns = {column["name"] for column in inspect(connection).get_columns("published_file")}
    # A salvaged store that has lost its version may have the column.
    if "etag" not in columns:
        connection.exec_driver_sql(
            "ALTER TABLE published_file ADD COLUMN etag VARCHAR DEFAULT '' NOT NULL"
        )
