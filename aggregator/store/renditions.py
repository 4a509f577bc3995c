"""The sanitized HTML of articles' newest revisions, made when a feed first shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, select

from aggregator.model.articles import Article
from aggregator.store import schema
from aggregator.store.rows import pieces, upsert_rows


def renditions(
    connection: Connection, wanted: Sequence[Article], rules: bytes
) -> dict[tuple[str, int], bytes]:
    """Return the stored sanitized HTML of the given articles, packed, by code and revision."""
    table = schema.rendition
    found: dict[tuple[str, int], bytes] = {}
    for piece in pieces(list({article.code for article in wanted})):
        rows = connection.execute(
            select(table.c.code, table.c.revision, table.c.html).where(
                table.c.code.in_(piece), table.c.rules == rules
            )
        ).all()
        found |= {(code, revision): html for code, revision, html in rows}
    return found


def save_renditions(
    connection: Connection, rules: bytes, rows: Iterable[tuple[str, int, bytes]]
) -> None:
    """Save sanitized HTML: (code, revision, packed HTML)."""
    values = [
        {"code": code, "revision": revision, "rules": rules, "html": html}
        for code, revision, html in rows
    ]
    if values:
        upsert_rows(connection, schema.rendition, values)


def clear_renditions(connection: Connection) -> None:
    """Delete all sanitized HTML, so that every text is sanitized again."""
    connection.execute(delete(schema.rendition))
