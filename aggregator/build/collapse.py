"""Which article stands for a story in feeds that show each story once.

It is the one that was first seen here, and stays it: while stories are collapsed, one that feeds
have shown is never hidden, whatever comes later, and however early that was published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from aggregator.build.dirty import note_changed
from aggregator.store import published, recent, similar, stories

# An article is hidden behind another one only if they have this much of the longer text in
# common, in percent: a summary of the day has all of many stories, and is none of them.
OVERLAP = 25


def undo(connection: Connection) -> None:
    """Have every article stand for itself again."""
    codes = stories.hidden(connection)
    stories.forget_all(connection)
    published.publish_again(connection, codes)
    note_changed(connection, codes)


def decide(connection: Connection, arrived: Iterable[str], moment: int) -> None:
    """Decide for articles that arrived, and again for hidden ones that lost what stood for them."""
    arrived, changed = set(arrived), similar.changed_codes(connection)
    before = stories.firsts(connection, arrived | changed)
    pairs = similar.pairs_of(connection, before.keys() & changed)
    lost = {
        code
        for code, first in before.items()
        if first != code and code in changed and first not in pairs.get(code, {})
    }
    numbers = recent.numbers(connection, (arrived - before.keys()) | lost, moment)
    after = _firsts(connection, sorted(numbers, key=numbers.__getitem__), moment)
    stories.save(connection, after)
    published.publish_again(connection, [code for code in lost if after.get(code) == code])
    different = {code for code, first in after.items() if before.get(code, code) != first}
    note_changed(connection, different)


def _firsts(connection: Connection, codes: list[str], moment: int) -> dict[str, str]:
    """Return which article stands for each of the given ones, in the order of their arrival."""
    pairs = similar.pairs_of(connection, codes)
    others = {other for found in pairs.values() for other in found}
    numbers = recent.numbers(connection, others, moment)
    known = stories.firsts(connection, others)
    # What is not compared any more, and was never hidden, has been shown.
    compared = similar.sources(connection, others)
    known |= {code: code for code in others - compared.keys() - known.keys()}
    for code in codes:
        known.pop(code, None)
    decided: dict[str, str] = {}
    for code in codes:
        near = _standing(pairs.get(code, {}), known, numbers)
        decided[code] = known[code] = min(near, key=numbers.__getitem__, default=code)
    return decided


def _standing(
    others: Mapping[str, tuple[int, int]], firsts: Mapping[str, str], numbers: Mapping[str, int]
) -> list[str]:
    """Return those of an article's similar ones that can stand for it."""
    return [
        other
        for other, (_, overlap) in others.items()
        if overlap >= OVERLAP and other in numbers and firsts.get(other) == other
    ]
