"""A query, and the articles that match it.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.articles.search_text import folded
from aggregator.model.search_words import split


@dataclass(frozen=True, slots=True)
class Query:
    """The words, folded, that an article must have, and those that it must not have."""

    words: tuple[str, ...]
    without: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The same text for all ways to write the query, which `parse` reads as this query.

        >>> parse("Rate ＧＤＰ rate").text
        'gdp rate'
        """
        wanted = map(_quoted, sorted(self.words))
        unwanted = (f"-{_quoted(word)}" for word in sorted(self.without))
        return " ".join([*wanted, *unwanted])

    def matches(self, searched: str) -> bool:
        """Return whether an article matches, by all that is searched of it (`searched`)."""
        return all(word in searched for word in self.words) and not any(
            word in searched for word in self.without
        )


def parse(text: str) -> Query:
    """Return the query that a person has written; `model.search_words` has the syntax.

    Raises `QueryError` if it has nothing to look for, or too much.

    >>> parse('ＧＤＰ "Interest  rate" -Fed')
    Query(words=('gdp', 'interest rate'), without=('fed',))
    """
    found = split(text)
    return Query(_folded(found.words), _folded(found.without))


def _folded(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(folded, words)))


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word or word.startswith("-") else word
