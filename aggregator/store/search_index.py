"""The search index: an SQLite file of its own beside the store, with FTS5.

It can be deleted at any time, and is then made again.  The later an article was published, the
lower is its number, so that the newest are found first, without looking at all others; and FTS5
takes a third less time in this direction.
"""

from __future__ import annotations

import contextlib
import heapq
import sqlite3
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from aggregator.articles.search_query import Query
from aggregator.articles.search_text import VERSION, phrase
from aggregator.model.errors import StoreError
from aggregator.store.sqlite import may_be_damage

# Increase whenever the tables change: an index of another format is made again.
_FORMAT = f"1.{VERSION}"
_WAIT = 30.0
# The number of what was published in 1970.
_LAST = 2**31
# Bytes that are gathered in memory before they are written: the more, the fewer merges.
_GATHERED = 16 << 20
_PUNCTUATION = string.punctuation.replace("'", "''").replace('"', '""')
_TABLES = (
    "CREATE TABLE state (format TEXT, upto INTEGER, token BLOB, seconds INTEGER)",
    "CREATE TABLE document (number INTEGER PRIMARY KEY, code TEXT UNIQUE, mark BLOB, "
    "source TEXT, published INTEGER)",
    # Only spaces separate tokens, and no text is kept.
    "CREATE VIRTUAL TABLE words USING fts5 (tokens, content='', columnsize=0, "
    f"tokenize=\"ascii tokenchars '{_PUNCTUATION}'\")",
    f"INSERT INTO words (words, rank) VALUES ('hashsize', {_GATHERED})",  # noqa: S608
)
_AUTOMERGE = "INSERT INTO words (words, rank) VALUES ('automerge', ?)"


class UnusableIndexError(StoreError):
    """There is no index, or it is damaged or of another format: make it again."""


class State(NamedTuple):
    """Up to which arrival articles are in the index, and the build after which that was so."""

    upto: int
    token: bytes


class Document(NamedTuple):
    """An article as it is indexed; `mark` differs if it is to be indexed again."""

    code: str
    mark: bytes
    source: str
    published: int
    tokens: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which articles to look among: of a source, published from `since` to `until` (Unix time)."""

    until: int
    since: int | None = None
    source: str | None = None


class SearchIndex:
    """An open index.  Raises `UnusableIndexError` from all that it does, or `StoreError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise UnusableIndexError(f"{path}: no search index yet")
        with self._errors():
            self._connection = sqlite3.connect(
                path, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
        try:
            with self._errors():
                self._connection.execute("PRAGMA synchronous=NORMAL")
                found = self._connection.execute("SELECT format, seconds FROM state").fetchone()
        except BaseException:
            self._connection.close()
            raise
        if found is None or found[0] != _FORMAT:
            self._connection.close()
            raise UnusableIndexError(f"{path}: a search index of another version")
        self._seconds = int(found[1])

    def state(self) -> State:
        """Return what the index holds."""
        with self._errors():
            row = self._connection.execute("SELECT upto, token FROM state").fetchone()
        return State(*row)

    def marks(self, codes: Iterable[str] | None = None) -> dict[str, bytes]:
        """Return the marks of the articles with the given codes, or of all, by code."""
        query = "SELECT code, mark FROM document WHERE code "
        with self._errors():
            if codes is None:
                return dict(self._connection.execute(query + "IS NOT NULL"))
            found = (self._connection.execute(query + "= ?", (code,)).fetchone() for code in codes)
            return dict(row for row in found if row)

    def check(self) -> None:
        """Read all of it.  Raises `UnusableIndexError` if it is damaged."""
        with self._errors():
            # It writes nothing (https://www.sqlite.org/fts5.html#the_integrity_check_command).
            self._connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")

    def is_worn(self) -> bool:
        """Return whether so much of it is about former texts that it should be made again."""
        query = "SELECT count(*), count(code) FROM document"
        with self._errors():
            numbers, articles = self._connection.execute(query).fetchone()
        return bool(numbers - articles > 1000 + articles // 4)

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Keep all changes that are made meanwhile, or none of them."""
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    def numbers(self, times: Mapping[str, int]) -> dict[str, int]:
        """Return a free number for each article, by code, from when it was published."""
        numbers: dict[str, int] = {}
        first = last = 0
        taken = "SELECT 1 FROM document WHERE number = ?"
        with self._errors():
            for code in sorted(times, key=times.__getitem__):
                number = self._latest(times[code])
                if not first <= number <= last:
                    first, last = number + 1, number
                # All from `first` to `last` are taken.
                number = first - 1
                while self._connection.execute(taken, (number,)).fetchone():
                    number -= 1
                numbers[code] = first = number
        return numbers

    def put(self, document: Document, number: int) -> None:
        """Add an article that is not in it; quickest by ascending numbers."""
        self._connection.execute(
            "INSERT INTO document VALUES (?, ?, ?, ?, ?)", (number, *document[:-1])
        )
        self._connection.execute(
            "INSERT INTO words (rowid, tokens) VALUES (?, ?)", (number, document.tokens)
        )

    def drop(self, codes: Iterable[str]) -> None:
        """Let articles be found no more.  What they had stays, without a code to lead to."""
        self._connection.executemany(
            "UPDATE document SET code = NULL WHERE code = ?", ((code,) for code in codes)
        )

    def save(self, state: State) -> None:
        """Save what the index holds now."""
        self._connection.execute("UPDATE state SET upto = ?, token = ?", state)

    def newest(self, query: Query, bounds: Bounds, limit: int) -> list[str]:
        """Return the codes of the newest `limit` articles that match, newest first."""
        conditions = ["words MATCH ?", "code IS NOT NULL", "published <= ?"]
        values: list[object] = [_expression(query), bounds.until]
        if bounds.since is not None:
            conditions += ["words.rowid <= ?", "published >= ?"]
            values += [self._latest(bounds.since), bounds.since]
        if bounds.source is not None:
            conditions.append("source = ?")
            values.append(bounds.source)
        found: list[tuple[int, str]] = []
        with self._errors():
            rows = self._connection.execute(
                "SELECT number, published, code FROM words JOIN document ON number = words.rowid "  # noqa: S608
                f"WHERE {' AND '.join(conditions)} ORDER BY words.rowid",
                values,
            )
            for number, published, code in rows:
                if len(found) < limit:
                    heapq.heappush(found, (published, code))
                    continue
                if number > self._latest(found[0][0]):
                    break  # as are all that follow, which are older than the last one found
                heapq.heappushpop(found, (published, code))
            rows.close()
        return [code for _, code in sorted(found, reverse=True)]

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    def __enter__(self) -> SearchIndex:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def _latest(self, published: int) -> int:
        """Return the last number that an article of this time can have."""
        return _LAST - published // self._seconds

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise what an error of SQLite means."""
        try:
            yield
        except sqlite3.Error as error:
            if may_be_damage(error) or not isinstance(error, sqlite3.OperationalError):
                raise UnusableIndexError(f"{self._path}: damaged: {error}") from error
            if "no such" in str(error) or "vtable constructor" in str(error):
                raise UnusableIndexError(f"{self._path}: not as it was made: {error}") from error
            raise StoreError(f"{self._path}: {error}") from error


@contextlib.contextmanager
def new_index(path: Path, seconds: int) -> Iterator[SearchIndex]:
    """Yield an empty index, which is at `path` once it has been filled.

    A number stands for `seconds`.  Raises `StoreError` if it cannot be written.
    """
    temporary = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        connection = sqlite3.connect(temporary, isolation_level=None)
        with contextlib.closing(connection):
            connection.execute("PRAGMA journal_mode=OFF")
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute("INSERT INTO state VALUES (?, 0, x'', ?)", (_FORMAT, seconds))
        with SearchIndex(temporary) as index:
            # Nobody reads it yet, and one that was interrupted is thrown away.
            index._connection.execute("PRAGMA journal_mode=OFF")
            index._connection.execute("PRAGMA cache_size=-16000")
            # Segments that are merged leave empty pages behind.
            index._connection.execute(_AUTOMERGE, (0,))
            yield index
            index._connection.execute(_AUTOMERGE, (4,))
        # It is about the file that is replaced, and would be taken for one about the new file.
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        temporary.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: cannot be made: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _expression(query: Query) -> str:
    """Return a query in the syntax of FTS5."""
    wanted = " AND ".join(map(_phrase, query.words))
    unwanted = " OR ".join(map(_phrase, query.without))
    return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def _phrase(word: str) -> str:
    tokens, is_beginning = phrase(word)
    return '"' + " ".join(tokens).replace('"', '""') + ('" *' if is_beginning else '"')
