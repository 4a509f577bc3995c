"""The pages of articles, and the days under which lists have their titles.

What is to be written is decided and saved first; what was written is saved after that.  So a
run that ends in between only leaves work to the next one.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    Table,
    delete,
    func,
    select,
    update,
)

from aggregator.model.articles import Article
from aggregator.model.feeds import PublishedFile
from aggregator.store import published, schema
from aggregator.store.dialects import Instant, Text, Whole
from aggregator.store.rows import article_from, instant, pieces, upsert_rows

# Every article that may have a page.  `day` is the one under which its title is listed.
page = Table(
    "page",
    schema.metadata,
    Column("code", Text, primary_key=True),
    Column("day", Text),
    Column("is_written", Boolean, nullable=False),
    Index("page_day", "day"),
    sqlite_with_rowid=False,
)
Index("page_unwritten", page.c.code, sqlite_where=~page.c.is_written).ddl_if("sqlite")
Index("page_to_write", page.c.is_written, page.c.code).ddl_if("postgresql")

# The days of the lists; one that is not `is_listed` has to be listed again.
day = Table(
    "listed_day",
    schema.metadata,
    Column("day", Text, primary_key=True),
    Column("articles", Integer, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("is_listed", Boolean, nullable=False),
)

# The folders of pages as they were left: one that has changed since may lack a page.
folder = Table(
    "page_folder",
    schema.metadata,
    Column("path", Text, primary_key=True),
    Column("mtime_ns", Whole, nullable=False),
)

# In `published_file`, pages and lists have no document of a feed.
_NO_DOCUMENT = -1
_PAGE, _LISTS = published.PAGE_OF, "lists"


class ListedDay(NamedTuple):
    """A day, YYYY-MM-DD, its number of articles, and when one of them last changed."""

    name: str
    articles: int
    updated: datetime.datetime


class Arrival(NamedTuple):
    """An article by the number of its arrival."""

    number: int
    code: str
    published: datetime.datetime


def arrived(connection: Connection, after: int, limit: int) -> list[Arrival]:
    """Return the articles that arrived after number `after`."""
    table = schema.article
    query = select(table.c.article_id, table.c.code, table.c.published)
    rows = connection.execute(
        query.where(table.c.article_id > after).order_by(table.c.article_id).limit(limit)
    )
    return [Arrival(number, code, instant(published)) for number, code, published in rows]


def decide(connection: Connection, months: Mapping[str, str], again: Iterable[str] = ()) -> None:
    """Save the months of articles whose pages have none yet, and which pages to write."""
    table = schema.article
    for piece in pieces(list(months)):
        by_month: dict[str, list[str]] = {}
        for code in piece:
            by_month.setdefault(months[code], []).append(code)
        for month, codes in by_month.items():
            connection.execute(
                update(table)
                .where(table.c.code.in_(codes), table.c.page_month.is_(None))
                .values(page_month=month)
            )
    rows = [{"code": code, "is_written": False} for code in sorted({*months, *again})]
    upsert_rows(connection, page, rows, replaced=("is_written",))


def write_all_again(connection: Connection) -> None:
    """Note that all pages and lists are to be written again."""
    connection.execute(update(page).values(is_written=False))
    connection.execute(update(day).values(is_listed=False))


def unwritten(connection: Connection, after: str, limit: int) -> list[str]:
    """Return the codes of pages to write that come after a code, in order."""
    query = select(page.c.code).where(~page.c.is_written, page.c.code > after)
    return list(connection.execute(query.order_by(page.c.code).limit(limit)).scalars())


def count_unwritten(connection: Connection) -> int:
    """Return how many pages are to be written."""
    query = select(func.count()).select_from(page).where(~page.c.is_written)
    return connection.execute(query).scalar_one()


def save_written(
    connection: Connection,
    days: Mapping[str, str | None],
    files: Mapping[str, Collection[PublishedFile]],
) -> None:
    """Save that the pages of articles are as they should be.

    `days` are those under which they are listed, by code; None if they are not.  `files` are
    those of pages that were written; an article without files has no page.
    """
    changed = {name for name in days.values() if name is not None}
    for piece in pieces(list(days)):
        query = select(page.c.day).where(page.c.code.in_(piece), page.c.day.is_not(None))
        changed |= set(connection.execute(query.distinct()).scalars())
    rows = [{"code": code, "day": name, "is_written": True} for code, name in days.items()]
    upsert_rows(connection, page, rows)
    _save_days(connection, changed)
    published.save_files_of(
        connection, {(_PAGE + code, _NO_DOCUMENT): files.get(code, ()) for code in days}
    )


def _save_days(connection: Connection, names: Collection[str]) -> None:
    rows = [{"day": name, "articles": 0, "updated": 0, "is_listed": False} for name in names]
    upsert_rows(connection, day, rows, replaced=("is_listed",))


def paths_of(connection: Connection, codes: Iterable[str]) -> dict[str, list[str]]:
    """Return the paths of the files of articles' pages, by code."""
    table = schema.published_file
    found: dict[str, list[str]] = {}
    for piece in pieces([_PAGE + code for code in codes]):
        rows = connection.execute(select(table.c.feed, table.c.path).where(table.c.feed.in_(piece)))
        for feed, path in rows:
            found.setdefault(feed.removeprefix(_PAGE), []).append(path)
    return found


def code_of_path(connection: Connection, path: str) -> str | None:
    """Return the code of the article with a page at this path, None if there is none."""
    table = schema.published_file
    query = select(table.c.feed).where(table.c.path == path)
    feed: str | None = connection.execute(query).scalar_one_or_none()
    is_page = feed is not None and feed.startswith(_PAGE)
    return feed.removeprefix(_PAGE) if feed is not None and is_page else None


def folders(connection: Connection) -> dict[str, int]:
    """Return the folders of pages, each with its time of change as it was left."""
    return {row.path: row.mtime_ns for row in connection.execute(select(folder))}


def expect_folders(connection: Connection, paths: Iterable[str]) -> None:
    """Save that files are about to be written into folders, whatever happens to the run."""
    rows = [{"path": path, "mtime_ns": -1} for path in sorted(paths)]
    upsert_rows(connection, folder, rows, replaced=())


def save_folders(connection: Connection, left: Mapping[str, int]) -> None:
    """Save the times of change of folders."""
    rows = [{"path": path, "mtime_ns": changed} for path, changed in left.items()]
    upsert_rows(connection, folder, rows)


def files_in(connection: Connection, path: str) -> dict[str, list[PublishedFile]]:
    """Return the files of pages in a folder, by code."""
    table = schema.published_file
    # "0" is the character after "/".
    query = select(table).where(table.c.path > f"{path}/", table.c.path < f"{path}0")
    found: dict[str, list[PublishedFile]] = {}
    for row in connection.execute(query.where(table.c.feed.startswith(_PAGE, autoescape=True))):
        found.setdefault(row.feed.removeprefix(_PAGE), []).append(published.file_from(row))
    return found


def unlisted(connection: Connection) -> list[str]:
    """Return the days to list again, in order."""
    return list(
        connection.execute(select(day.c.day).where(~day.c.is_listed).order_by(day.c.day)).scalars()
    )


def count_day(connection: Connection, name: str) -> ListedDay:
    """Count the articles of a day anew, and return it."""
    table = schema.article
    articles, updated = connection.execute(
        select(func.count(), func.max(func.coalesce(table.c.updated, table.c.published)))
        .select_from(page)
        .join(table, table.c.code == page.c.code)
        .where(page.c.day == name)
    ).one()
    values = {"articles": articles, "updated": updated or 0}
    connection.execute(update(day).where(day.c.day == name).values(values))
    return ListedDay(name, articles, instant(updated or 0))


def days(connection: Connection) -> list[ListedDay]:
    """Return the days that have articles, newest first."""
    rows = connection.execute(select(day).where(day.c.articles > 0).order_by(day.c.day.desc()))
    return [ListedDay(row.day, row.articles, instant(row.updated)) for row in rows]


def articles_of_day(connection: Connection, name: str) -> list[Article]:
    """Return the articles that are listed under a day, newest first."""
    table = schema.article
    rows = connection.execute(
        select(table)
        .join(page, page.c.code == table.c.code)
        .where(page.c.day == name)
        .order_by(table.c.published.desc(), table.c.code.desc())
    )
    return [article_from(row) for row in rows]


def save_listed(
    connection: Connection,
    names: Collection[str],
    files: Collection[PublishedFile],
    gone: Collection[str],
) -> None:
    """Save that days are listed in these files, and which files were removed."""
    for piece in pieces(sorted(names)):
        connection.execute(update(day).where(day.c.day.in_(piece)).values(is_listed=True))
    connection.execute(delete(day).where(day.c.is_listed, day.c.articles == 0))
    published.forget_paths(connection, gone)
    published.save_files(connection, [(_LISTS, _NO_DOCUMENT, file) for file in files])


def list_files(connection: Connection) -> list[PublishedFile]:
    """Return the files of the lists as they were written."""
    table = schema.published_file
    rows = connection.execute(select(table).where(table.c.feed == _LISTS))
    return [published.file_from(row) for row in rows]


def all_paths(connection: Connection) -> list[str]:
    """Return the paths of all files of pages and lists."""
    table = schema.published_file
    query = select(table.c.path).where(table.c.document == _NO_DOCUMENT)
    return list(connection.execute(query.order_by(table.c.path)).scalars())


def forget_all(connection: Connection) -> None:
    """Delete everything about pages and lists, but for the months of the articles."""
    for table in (page, day, folder):
        connection.execute(delete(table))
    table = schema.published_file
    connection.execute(delete(table).where(table.c.document == _NO_DOCUMENT))
