"""The words of a query, as a person writes them.  Pure.

All words must be found, in any order; `"words in quotes"` stand together; `-word` excludes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from aggregator.model.errors import QueryError

MAX_LENGTH = 200
MAX_WORDS = 20
_QUOTES = str.maketrans("“”„‟", '""""')
_WORD = re.compile(r'(?P<not>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]\S*))')


class SearchWords(NamedTuple):
    """The words that an article must have, and those that it must not have."""

    words: tuple[str, ...]
    without: tuple[str, ...]


def split(text: str) -> SearchWords:
    """Return the words of a query.

    Raises `QueryError` if it has nothing to look for, or too much.

    >>> split('GDP "interest rate" -Fed')
    SearchWords(words=('GDP', 'interest rate'), without=('Fed',))
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"a query has {MAX_LENGTH} characters at most")
    words: list[str] = []
    without: list[str] = []
    for match in _WORD.finditer(text.translate(_QUOTES)):
        word = match["phrase"] if match["phrase"] is not None else match["word"]
        word = "".join(filter(str.isprintable, " ".join(word.split()))).strip()
        if word:
            (without if match["not"] else words).append(word)
    if len(words) + len(without) > MAX_WORDS:
        raise QueryError(f"a query has {MAX_WORDS} words at most")
    if not words:
        what = "has only words that exclude" if without else "has no words"
        raise QueryError(f"the query {what}: write at least one to look for")
    return SearchWords(tuple(words), tuple(without))
