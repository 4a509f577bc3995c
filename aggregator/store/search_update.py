"""The search index brought up to date with the store."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from aggregator import processes
from aggregator.articles.search_query import Query
from aggregator.articles.search_text import Searchable, indexed, names_of
from aggregator.model.articles import Article
from aggregator.model.packing import pack
from aggregator.store import published, schema, selected
from aggregator.store.articles import articles_of, texts_of
from aggregator.store.database import Store
from aggregator.store.lock import exclusive
from aggregator.store.rows import pieces, seconds
from aggregator.store.search_index import (
    Bounds,
    Document,
    SearchIndex,
    State,
    UnusableIndexError,
    new_index,
)
from aggregator.store.selected import SEARCH
from aggregator.store.windows import last_arrival

WHO = "search index"
# How long to wait for another process that brings the same index up to date, in seconds.
WAIT = 60.0
_PAGE = 500
# Articles that a worker process prepares at a time.
_PIECE = 25
# A new index has so many numbers for each article, so that one that comes late finds a free one.
_NUMBERS_EACH = 4


class _Known(NamedTuple):
    """An article of the store; `mark` is None if it is not to be found."""

    code: str
    mark: bytes | None
    published: int


def search(store: Store, path: Path, query: Query, bounds: Bounds, limit: int) -> list[Article]:
    """Return the newest `limit` articles that match a query, newest first.

    The index at `path` is brought up to date first.  Raises `StoreError` if that fails.
    """
    catch_up(store, path)
    try:
        codes = _codes(path, query, bounds, limit)
    except UnusableIndexError:
        # Damage shows only where it is read.
        path.unlink(missing_ok=True)
        catch_up(store, path)
        codes = _codes(path, query, bounds, limit)
    with store.reading() as connection:
        articles = articles_of(connection, codes)
    found = (articles[code] for code in codes if code in articles)
    return [article for article in found if not article.is_withdrawn]


def _codes(path: Path, query: Query, bounds: Bounds, limit: int) -> list[str]:
    with SearchIndex(path) as index:
        return index.newest(query, bounds, limit)


def is_behind(connection: Connection, path: Path, changed: Collection[str]) -> bool:
    """Return whether a build has something to index that the last one did not."""
    known = selected.progress(connection).get(SEARCH)
    return (
        known is None
        or bool(changed)
        or known.upto != last_arrival(connection)
        or not path.exists()
    )


def catch_up(store: Store, path: Path, token: bytes | None = None, *, checks: bool = False) -> int:
    """Bring the index at `path` up to date; return the number of the last article in it.

    A whole build gives a new `token`: it then saves that in the store, in the transaction in
    which it forgets what changed.  An index with another token may have missed changes, and is
    compared with all articles.  With `checks`, it is read whole, and made again if it is damaged:
    damage may otherwise hide articles.  Raises `StoreError` if the index cannot be written, and
    `LockedError` if another process writes it for too long.
    """
    with exclusive(path.with_name(f"{path.name}.lock"), WAIT, WHO):
        with contextlib.suppress(UnusableIndexError), SearchIndex(path) as index:
            if checks:
                index.check()
            if not index.is_worn():
                return _update(store, index, token)
        with store.reading() as connection:
            times = [article.published for article in _articles(connection)]
        with new_index(path, _seconds_each(times)) as index:
            return _update(store, index, token)


def _update(store: Store, index: SearchIndex, token: bytes | None) -> int:
    state = index.state()
    with store.reading() as connection:
        last = last_arrival(connection)
        known = selected.progress(connection).get(SEARCH)
        built = known.rules if known is not None else b""
        if known is not None and built == state.token:
            codes = [*published.changed_codes(connection), *_arrived(connection, state.upto)]
            articles = _articles(connection, codes)
            marks = index.marks(codes)
        else:
            articles = _articles(connection)
            marks = index.marks()
    differing = [item for item in articles if item.mark != marks.pop(item.code, None)]
    now = State(last, built if token is None else token)
    if differing or marks or now != state:
        with index.changing():
            index.drop([*marks, *(item.code for item in differing)])
            numbers = index.numbers(
                {item.code: item.published for item in differing if item.mark is not None}
            )
            for document in _documents(store, sorted(numbers, key=numbers.__getitem__)):
                index.put(document, numbers[document.code])
            index.save(now)
    return last


def _articles(connection: Connection, codes: Collection[str] | None = None) -> list[_Known]:
    """Return the articles with the given codes, or all."""
    table = schema.article
    query = select(
        table.c.code,
        table.c.published,
        table.c.version,
        table.c.raw_hash,
        schema.IS_SHOWN.label("is_shown"),
    )
    if codes is None:
        found = [_known(row) for row in connection.execute(query)]
    else:
        found = [
            _known(row)
            for piece in pieces(list(codes))
            for row in connection.execute(query.where(table.c.code.in_(piece)))
        ]
    return found


def _known(row: Row[Any]) -> _Known:
    return _Known(row.code, _mark(row) if row.is_shown else None, row.published)


def _arrived(connection: Connection, upto: int) -> list[str]:
    """Return the codes of the articles that arrived after number `upto`."""
    table = schema.article
    return list(connection.execute(select(table.c.code).where(table.c.article_id > upto)).scalars())


def _documents(store: Store, codes: Sequence[str]) -> Iterator[Document]:
    """Return articles as they are indexed, in the given order, a few at a time."""
    under_way: deque[list[Article]] = deque()

    def texts() -> Iterator[list[Searchable]]:
        for page in pieces(list(codes)):
            with store.reading() as connection:
                found = articles_of(connection, page)
                bodies = texts_of(connection, found.values())
            articles = [found[code] for code in page if code in found]
            for start in range(0, len(articles), _PIECE):
                under_way.append(articles[start : start + _PIECE])
                yield [
                    Searchable(
                        article.title,
                        bodies.get(article.code, b"") or pack(""),
                        article.media_type,
                        names_of(article),
                    )
                    for article in under_way[-1]
                ]

    for result in processes.ordered_map(indexed, texts()):
        for article, tokens in zip(under_way.popleft(), result, strict=True):
            yield Document(
                article.code, _mark(article), article.source, seconds(article.published), tokens
            )


def _mark(article: Article | Row[Any]) -> bytes:
    """Return what differs if an article is to be indexed again."""
    return b"%d:%b" % (article.version, article.raw_hash[:8])


def _seconds_each(times: Sequence[int]) -> int:
    """Return for how many seconds one number shall stand, by when articles were published.

    Those between the quartiles count: a date of long ago says nothing.
    """
    quarter = len(times) // 4
    if not quarter:
        return 1
    ordered = sorted(times)
    return max(1, (ordered[-quarter] - ordered[quarter]) // (len(times) // 2 * _NUMBERS_EACH))
