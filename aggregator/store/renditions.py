"""The sanitized HTML of articles' newest revisions, made when a feed first shows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Column, Connection, Integer, Table, delete, func, select

from aggregator.model.articles import Article
from aggregator.store import schema
from aggregator.store.dialects import Text
from aggregator.store.rows import pieces, upsert_rows

# Which content rules changed the sanitized text of an article.
rule_change = Table(
    "rule_change",
    schema.metadata,
    Column("code", Text, primary_key=True),
    Column("rule", Integer, primary_key=True),
    sqlite_with_rowid=False,
)


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
    connection: Connection,
    rules: bytes,
    rows: Collection[tuple[str, int, bytes, Iterable[int]]],
) -> None:
    """Save sanitized HTML: (code, revision, packed HTML, numbers of rules that changed it)."""
    values = [
        {"code": code, "revision": revision, "rules": rules, "html": html}
        for code, revision, html, _ in rows
    ]
    if not values:
        return
    upsert_rows(connection, schema.rendition, values)
    for piece in pieces([code for code, *_ in rows]):
        connection.execute(delete(rule_change).where(rule_change.c.code.in_(piece)))
    changes = [{"code": code, "rule": rule} for code, *_, numbers in rows for rule in numbers]
    upsert_rows(connection, rule_change, changes)


def changed_texts(connection: Connection, rules: bytes) -> dict[int, int]:
    """Return how many sanitized texts each content rule has changed."""
    rendition = schema.rendition
    rows = connection.execute(
        select(rule_change.c.rule, func.count())
        .join(rendition, rendition.c.code == rule_change.c.code)
        .where(rendition.c.rules == rules)
        .group_by(rule_change.c.rule)
    )
    return {number: count for number, count in rows}  # noqa: C416  # rows are no pairs to mypy


def clear_renditions(connection: Connection) -> None:
    """Delete all sanitized HTML, so that every text is sanitized again."""
    connection.execute(delete(schema.rendition))
