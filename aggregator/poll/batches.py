"""Store a batch, whatever an origin put into it: one bad item stops no other.

Items that no reader should have let through (a number too large for its column, text that
is not Unicode, two copies at one location) become problems here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from aggregator.model.articles import Change, Copy, Problem
from aggregator.model.errors import AggregatorError, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Batch, FileState, UrlState
from aggregator.poll import ingest
from aggregator.poll.ingest import MergeRules
from aggregator.store.rows import Transaction

# What is merged goes before the states that vouch for it.
_MERGED = ("copies", "gone", "withdrawn")
_VOUCHING = ("states", "urls", "pages")

_Item = tuple[str, Any]
NOWHERE: Mapping[str, str] = MappingProxyType({})


def store(
    transaction: Transaction,
    batch: Batch,
    rules: MergeRules,
    number: int,
    now: datetime.datetime,
    places: Mapping[str, str] = NOWHERE,
) -> list[Change]:
    """Store a batch in one transaction (see `ingest.apply`), or all of it that can be stored.

    An item that cannot be stored becomes a problem of the URL that `places` has for its
    location, else of the location; a file is then read again at the next poll.  Raises
    `AggregatorError` for errors of no item: a full disk, a locked store.
    """
    batch = _without_duplicates(batch, places)
    try:
        with transaction() as connection:
            return ingest.apply(connection, batch, rules, number, now)
    except AggregatorError:
        raise
    except Exception:  # noqa: BLE001  # storing each item alone shows which one is bad
        LOGGER.debug("%s: a batch in pieces", batch.origin, exc_info=True)
    return _Pieces(transaction, batch, rules, number, now, places).store()


def store_all(
    transaction: Transaction,
    found: Sequence[tuple[Batch, Mapping[str, str]]],
    rules: MergeRules,
    number: int,
    now: datetime.datetime,
) -> list[list[Change]]:
    """Store batches of several origins, with their places, in one transaction if possible.

    Return the changes of each.  See `store` for what cannot be stored.
    """
    try:
        with transaction() as connection:
            return [
                ingest.apply(connection, _without_duplicates(batch, places), rules, number, now)
                for batch, places in found
            ]
    except AggregatorError:
        raise
    except Exception:  # noqa: BLE001  # storing each batch alone shows which one is bad
        LOGGER.debug("batches one by one", exc_info=True)
    return [store(transaction, batch, rules, number, now, places) for batch, places in found]


def _without_duplicates(batch: Batch, places: Mapping[str, str]) -> Batch:
    """Return the batch with the first copy at each location, and a problem for each other."""
    copies: dict[str, Copy] = {}
    problems: list[Problem] = []
    for copy in batch.copies:
        if copies.setdefault(copy.location, copy) is not copy:
            reason = f"{copy.location[:80]} occurs twice; the first one was used"
            problems.append(Problem(places.get(copy.location, copy.location), reason))
    if not problems:
        return batch
    return replace(batch, copies=tuple(copies.values()), problems=(*batch.problems, *problems))


@dataclass(slots=True)
class _Pieces:
    """A batch that cannot be stored as a whole, and is stored item by item."""

    transaction: Transaction
    batch: Batch
    rules: MergeRules
    number: int
    now: datetime.datetime
    places: Mapping[str, str]
    changes: list[Change] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)

    def store(self) -> list[Change]:
        """Store all items that can be stored, the problems, then the states that vouch for both."""
        batch = self.batch
        self._store(list(_items(batch, _MERGED)))
        merged = dict(self.bad)
        problems = [*batch.problems, *(self._problem(*item) for item in merged.items())]
        known = replace(_bare(batch), read=batch.read, lists=batch.lists)
        self._apply(replace(known, problems=_plain(problems)))
        self._store([self._unread(item) for item in _items(batch, _VOUCHING)])
        late = [self._problem(*item) for item in self.bad.items() if item[0] not in merged]
        if late:
            self._apply(replace(_bare(batch), problems=_plain(late)))
        return self.changes

    def _store(self, items: Sequence[_Item]) -> None:
        """Store items together, or each half by itself."""
        if not items:
            return
        try:
            self._apply(_with_items(_bare(self.batch), items))
        except AggregatorError:
            raise
        except Exception as error:  # noqa: BLE001  # it becomes a problem
            if len(items) > 1:
                middle = len(items) // 2
                self._store(items[:middle])
                self._store(items[middle:])
                return
            LOGGER.debug("%s: %s", self.batch.origin, _place(items[0]), exc_info=True)
            self.bad.setdefault(_place(items[0]), unforeseen(error))

    def _apply(self, batch: Batch) -> None:
        with self.transaction() as connection:
            self.changes += ingest.apply(connection, batch, self.rules, self.number, self.now)

    def _problem(self, place: str, reason: str) -> Problem:
        # A copy from a response is fixed with the response.
        url = self.places.get(place)
        if url is None or url == place:
            return Problem(place, f"cannot be stored ({reason})")
        return Problem(url, f"{place[:80]}: cannot be stored ({reason})")

    def _unread(self, item: _Item) -> _Item:
        """Return an item; a file's state becomes one that is read again if its copy was bad."""
        kind, value = item
        if kind == "states" and value.path in self.bad:
            return kind, FileState(value.path, 0, 0, 0, 0)
        return item


def _bare(batch: Batch) -> Batch:
    return Batch(batch.origin)


def _items(batch: Batch, kinds: Iterable[str]) -> Iterator[_Item]:
    for kind in kinds:
        for value in getattr(batch, kind):
            yield kind, value


def _with_items(batch: Batch, items: Sequence[_Item]) -> Batch:
    found: dict[str, list[Any]] = {}
    for kind, value in items:
        found.setdefault(kind, []).append(value)
    changed: dict[str, Any] = {kind: tuple(values) for kind, values in found.items()}
    return replace(batch, **changed)


def _place(item: _Item) -> str:
    """Return where an item was found."""
    value = item[1]
    if isinstance(value, Copy):
        return value.location
    if isinstance(value, FileState):
        return value.path
    return value.url if isinstance(value, UrlState) else str(value)


def _plain(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems with texts that can always be stored."""
    return tuple(
        replace(
            problem,
            location=problem.location.encode("utf-8", "backslashreplace").decode("utf-8"),
            reason=problem.reason.encode("utf-8", "backslashreplace").decode("utf-8"),
        )
        for problem in problems
    )
