"""Articles, their revisions and their texts."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, func, select, union

from aggregator.model.articles import Article, Change, Revision
from aggregator.model.packing import unpack
from aggregator.store import schema
from aggregator.store.rows import (
    article_from,
    insert_rows,
    instant,
    pieces,
    row_of,
    upsert_rows,
)


def articles_of(connection: Connection, codes: Iterable[str]) -> dict[str, Article]:
    """Return the given articles by their codes; unknown codes are left out."""
    table = schema.article
    found: dict[str, Article] = {}
    for piece in pieces(list(codes)):
        rows = connection.execute(select(table).where(table.c.code.in_(piece))).all()
        found |= {row.code: article_from(row) for row in rows}
    return found


def codes_by_title(
    connection: Connection, titles: Iterable[str], limit: int
) -> dict[str, list[str]]:
    """Return the codes of the articles with some titles, by title: the newest `limit` of each."""
    table = schema.article
    return {
        title: list(
            connection.execute(
                select(table.c.code)
                .where(table.c.title == title)
                .order_by(table.c.article_id.desc())
                .limit(limit)
            ).scalars()
        )
        for title in titles
    }


def bodies_of(connection: Connection, body_ids: Iterable[int]) -> dict[int, bytes]:
    """Return packed texts by their numbers."""
    table = schema.body
    rows = connection.execute(
        select(table.c.body_id, table.c.text).where(table.c.body_id.in_(list(body_ids)))
    ).all()
    return {row[0]: row[1] for row in rows}


def has_remembered(connection: Connection) -> bool:
    """Return whether an article is known from a published feed only."""
    table = schema.article
    query = select(table.c.code).where(table.c.revision == 0).limit(1)
    return connection.execute(query).first() is not None


def count_articles(connection: Connection) -> int:
    """Return how many articles there are to publish."""
    table = schema.article
    return connection.execute(
        select(func.count()).select_from(table).where(schema.IS_SHOWN)
    ).scalar_one()


def revisions_of(connection: Connection, article: Article) -> list[Revision]:
    """Return the article's revisions, oldest first."""
    table, text = schema.revision, schema.body
    rows = connection.execute(
        select(table, text.c.text)
        .join(text, text.c.body_id == table.c.body_id)
        .where(table.c.code == article.code)
        .order_by(table.c.number)
    )
    found = [
        Revision(
            row.code, row.number, instant(row.seen_at), row.title, unpack(row.text), row.media_type
        )
        for row in rows
    ]
    if article.body_id is not None:
        newest = unpack(bodies_of(connection, [article.body_id])[article.body_id])
        found.append(
            Revision(
                article.code,
                article.revision,
                article.seen_at,
                article.title,
                newest,
                article.media_type,
            )
        )
    return found


def superseded(
    connection: Connection, articles: Collection[Article]
) -> dict[tuple[str, int], Article]:
    """Return articles as they were in earlier revisions, by code and revision.

    Title, text and date are those of the revision; links and categories are today's.
    """
    table = schema.revision
    newest = {article.code: article for article in articles}
    found: dict[tuple[str, int], Article] = {}
    for piece in pieces(list(newest)):
        for row in connection.execute(select(table).where(table.c.code.in_(piece))):
            found[row.code, row.number] = replace(
                newest[row.code],
                revision=row.number,
                updated=instant(row.seen_at) if row.number > 1 else None,
                title=row.title,
                body_id=row.body_id,
                media_type=row.media_type,
            )
    return found


def source_name(connection: Connection, source: str, now: datetime.datetime) -> str | None:
    """Return the name of a source from its newest published article with a name, else None."""
    table = schema.article
    name: str | None = connection.execute(
        select(table.c.source_name)
        .where(
            table.c.source == source,
            table.c.published <= int(now.timestamp()),
            schema.IS_SHOWN,
            table.c.source_name.is_not(None),
        )
        .order_by(table.c.published.desc(), table.c.code.desc())
        .limit(1)
    ).scalar_one_or_none()
    return name


def code_of_link(connection: Connection, link: str) -> str | None:
    """Return the code of an article with this page or share page, None if there is none."""
    table = schema.article
    query = select(table.c.code).where((table.c.link == link) | (table.c.share_url == link))
    return connection.execute(query.limit(1)).scalar_one_or_none()


def texts_of(connection: Connection, articles: Iterable[Article]) -> dict[str, bytes]:
    """Return the raw texts of the given articles, packed, by code."""
    ids = {article.code: article.body_id for article in articles if article.body_id is not None}
    bodies = bodies_of(connection, set(ids.values()))
    return {code: bodies[number] for code, number in ids.items() if number in bodies}


# Kinds of changes that give a revision another text.
_REPLACED = frozenset({"found better", "reread"})


def save_changes(
    connection: Connection,
    changes: Sequence[Change],
    known: Mapping[str, Article],
) -> None:
    """Save what merging decided: articles, superseded texts, and sources to build."""
    new = [change.article for change in changes if change.article.code not in known]
    old = [change.article for change in changes if change.article.code in known]
    table = schema.article
    insert_rows(connection, table, [row_of(article, table) for article in new])
    upsert_rows(connection, table, [row_of(article, table) for article in old], "code")
    superseded = [
        row_of(before, schema.revision, number=before.revision)
        for before in (known[change.article.code] for change in changes if change.kind == "revised")
    ]
    insert_rows(connection, schema.revision, superseded)
    replaced = [change.article.code for change in changes if change.kind in _REPLACED]
    if replaced:
        rendition = schema.rendition
        connection.execute(delete(rendition).where(rendition.c.code.in_(replaced)))
    _note_changed(connection, changes, known)
    sources = sorted(set().union(*(change.sources for change in changes)))
    upsert_rows(connection, schema.dirty_source, [{"source": source} for source in sources])


def _note_changed(
    connection: Connection, changes: Sequence[Change], known: Mapping[str, Article]
) -> None:
    """Save which articles changed since they arrived, and which of them to publish again.

    An article is published again (`again`) if its text changed, it was restored, or it moved
    to another source.  New articles are known by their numbers.
    """
    kinds = {
        change.article.code: change.kind in ("new", "revised", "returned")
        or (change.kind == "metadata changed" and len(change.sources) > 1)
        for change in changes
        if change.article.code in known and change.sources
    }
    again = [{"code": code, "again": True} for code, comes in kinds.items() if comes]
    upsert_rows(connection, schema.changed, again)
    others = [{"code": code, "again": False} for code, comes in kinds.items() if not comes]
    upsert_rows(connection, schema.changed, others, replaced=())


def remember(connection: Connection, articles: Iterable[Article]) -> None:
    """Save articles of which only the dates are known, not the text."""
    insert_rows(connection, schema.article, [row_of(item, schema.article) for item in articles])


def prune_bodies(connection: Connection) -> None:
    """Delete texts that no copy, article or revision refers to."""
    used = union(
        select(schema.copy.c.body_id),
        select(schema.revision.c.body_id),
        select(schema.article.c.body_id).where(schema.article.c.body_id.is_not(None)),
    )
    connection.execute(delete(schema.body).where(schema.body.c.body_id.not_in(used)))


def save_bodies(connection: Connection, texts: Sequence[bytes]) -> range:
    """Insert packed texts; return their numbers."""
    if not texts:
        return range(0)
    table = schema.body
    last = connection.execute(
        select(table.c.body_id).order_by(table.c.body_id.desc()).limit(1)
    ).scalar_one_or_none()
    numbers = range((last or 0) + 1, (last or 0) + 1 + len(texts))
    insert_rows(
        connection,
        table,
        [{"body_id": number, "text": text} for number, text in zip(numbers, texts, strict=True)],
    )
    return numbers
