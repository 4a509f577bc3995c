"""The steps of `migrations` that are about URLs."""

from __future__ import annotations

from sqlalchemy import Connection, inspect


def polled_urls(connection: Connection) -> None:
    """Version 2: URLs that are polled; what copies from elsewhere have that posts have not."""
    for statement in (
        "CREATE TABLE url (origin VARCHAR NOT NULL, url VARCHAR NOT NULL, "
        "next_at INTEGER NOT NULL, etag VARCHAR, last_modified VARCHAR, "
        "content_hash BLOB NOT NULL, asked_at INTEGER, answered_at INTEGER, read_at INTEGER, "
        "failures INTEGER NOT NULL, trouble VARCHAR, moved_to VARCHAR, moves INTEGER NOT NULL, "
        "is_gone BOOLEAN NOT NULL, is_due_once BOOLEAN NOT NULL, PRIMARY KEY (origin, url)) "
        "WITHOUT ROWID",
        "CREATE INDEX url_due ON url (origin, next_at)",
        "ALTER TABLE copy ADD COLUMN permalink VARCHAR",
        "ALTER TABLE copy ADD COLUMN base VARCHAR",
        "ALTER TABLE copy ADD COLUMN enclosures VARCHAR DEFAULT '[]' NOT NULL",
        "ALTER TABLE copy ADD COLUMN title_guess VARCHAR DEFAULT '' NOT NULL",
        "ALTER TABLE copy ADD COLUMN words BLOB DEFAULT x'' NOT NULL",
        "CREATE INDEX copy_link ON copy (link)",
        "ALTER TABLE article ADD COLUMN base VARCHAR",
        "ALTER TABLE article ADD COLUMN enclosures VARCHAR DEFAULT '[]' NOT NULL",
    ):
        connection.exec_driver_sql(statement)


def upstream_client(connection: Connection) -> None:
    """Version 6: what the client keeps (robots.txt, the URL of validators); articles by title."""
    # A salvaged store that has lost its version may have both.
    if "validators_url" not in {
        column["name"] for column in inspect(connection).get_columns("url")
    }:
        connection.exec_driver_sql("ALTER TABLE url ADD COLUMN validators_url VARCHAR")
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS robots (site VARCHAR NOT NULL PRIMARY KEY, "
        "text BLOB NOT NULL, expires_at INTEGER NOT NULL, etag VARCHAR, last_modified VARCHAR, "
        "validators_url VARCHAR)"
    )
    connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS article_title ON article (title)")


def cadences(connection: Connection) -> None:
    """Version 7: how often feeds say that they change."""
    # A salvaged store that has lost its version may have the column.
    if "cadence" not in {column["name"] for column in inspect(connection).get_columns("url")}:
        connection.exec_driver_sql("ALTER TABLE url ADD COLUMN cadence VARCHAR")
