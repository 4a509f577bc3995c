"""Version 6 of the store; see `migrations`."""

from __future__ import annotations

from sqlalchemy import Connection, inspect


def validators_and_titles(connection: Connection) -> None:
    """Add the URL whose response gave the validators, and find articles by their titles."""
    # A salvaged store that has lost its version may have both.
    if "validators_url" not in {
        column["name"] for column in inspect(connection).get_columns("url")
    }:
        connection.exec_driver_sql("ALTER TABLE url ADD COLUMN validators_url VARCHAR")
    connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS article_title ON article (title)")
