"""The owner's content rules: what is taken out of texts, and which articles feeds leave out.

Pure.  Rules have numbers, from 1 on, in the order of the configuration.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from aggregator.articles.markdown import render_markdown
from aggregator.articles.sanitize import (
    MARKDOWN,
    check_limits,
    plain_text,
    sanitize,
)
from aggregator.articles.summary import without_inline_tags
from aggregator.model.digests import digest_of
from aggregator.model.errors import UnusableError
from aggregator.model.kinds import kind_of

# Increase whenever the same rules would change or exclude something else.
VERSION = 1
# How long the patterns of a rule may take for one text, each.
SECONDS = 1.0


class Exclude(Protocol):
    """What a rule excludes, as `config.rules.Exclude` has it."""

    words: tuple[str, ...]
    titles: tuple[str, ...]
    authors: tuple[str, ...]


class ContentRule(Protocol):
    """A rule as `config.rules.ContentRule` has it; its `repr` says all of it."""

    sources: tuple[str, ...]
    origins: tuple[str, ...]
    remove: tuple[str, ...]
    replace: tuple[tuple[str, str], ...]

    @property
    def exclude(self) -> Exclude | None:
        """The articles that feeds leave out, None for none."""
        ...


@dataclass(frozen=True)
class TextRule:
    """What one rule takes out of a text: elements by CSS selectors, then what patterns match."""

    number: int
    remove: tuple[str, ...]
    replace: tuple[tuple[str, str], ...]


class ContentRules:
    """All rules of a site."""

    def __init__(self, rules: Sequence[ContentRule]) -> None:
        self._rules = list(enumerate(rules, 1))
        self._texts = {
            number: TextRule(number, rule.remove, rule.replace)
            for number, rule in self._rules
            if rule.remove or rule.replace
        }
        self.names_origins = any(rule.origins for rule in rules)
        self.excludes = any(rule.exclude is not None for rule in rules)
        self.reads_texts = any(rule.exclude and rule.exclude.words for rule in rules)

    @cached_property
    def text_digest(self) -> bytes:
        """The digest of all rules that change texts."""
        rules = [repr(rule) for number, rule in self._rules if number in self._texts]
        return digest_of((VERSION, rules)) if rules else b""

    @cached_property
    def exclusion_digest(self) -> bytes:
        """The digest of all rules that exclude articles, with their numbers."""
        rules = [(number, repr(rule)) for number, rule in self._rules if rule.exclude is not None]
        return digest_of((VERSION, rules))

    def for_text(self, source: str, origins: Collection[str]) -> tuple[TextRule, ...]:
        """Return the rules for a text from a source; its article has copies from `origins`."""
        return tuple(
            self._texts[number]
            for number, rule in self._rules
            if number in self._texts and _applies(rule, source, origins)
        )

    def excluded_by(
        self, source: str, origins: Collection[str], authors: Iterable[str], title: str, words: str
    ) -> int | None:
        """Return the number of the first rule that excludes an article, None if none does.

        `words` are those of its text, which only some rules need: see `reads_texts`.
        """
        for number, rule in self._rules:
            exclude = rule.exclude
            if exclude is None or not _applies(rule, source, origins):
                continue
            if _any_in(exclude.titles, title) or _any_in(exclude.words, title):
                return number
            if _folded(exclude.authors) & _folded(authors):
                return number
            if _any_in(exclude.words, words):
                return number
        return None


NO_RULES = ContentRules(())


class Cleaned(NamedTuple):
    """A text as feeds show it: sanitized, with all rules applied.

    `changed_by` are the numbers of the rules that changed it, `given_up` those that took too
    long for it, or would have made a text beyond the limits of sanitizing.
    """

    html: str
    changed_by: tuple[int, ...] = ()
    given_up: tuple[int, ...] = ()


def clean(text: str, kind: str, base: str, rules: Sequence[TextRule]) -> Cleaned:
    """Return a text with all rules applied.

    The result is always sanitized, including what a replacement added.  `kind` and `base` are
    as in `sanitize`.
    """
    if not rules:
        return Cleaned(sanitize(text, kind, base))
    changed_by: list[int] = []
    given_up: list[int] = []
    if any(rule.remove for rule in rules):
        html = render_markdown(text) if kind == MARKDOWN else text
        for rule in rules:
            shorter = _without(html, rule.remove) if rule.remove else None
            if shorter is not None:
                html = shorter
                changed_by.append(rule.number)
        if changed_by:
            text, kind = html, "text/html"
    html = sanitize(text, kind, base)
    for rule in rules:
        try:
            replaced = _replaced(html, rule.replace)
        except (TimeoutError, UnusableError):
            given_up.append(rule.number)
            continue
        if replaced != html:
            html = sanitize(replaced, "text/html", base)
            changed_by.append(rule.number)
    return Cleaned(html, tuple(sorted(set(changed_by))), tuple(given_up))


def words_of(text: str, kind: str, base: str) -> str:
    """Return the words of a text as a reader sees them: tags inside a word do not split it."""
    return plain_text(without_inline_tags(sanitize(text, kind, base)))


def _replaced(html: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Return HTML with the matches of patterns replaced.

    Raises `TimeoutError`, and `UnusableError` for HTML that would take the sanitizer too long.
    """
    if not pairs:
        return html
    # Other than re, it has a limit of time: a text that a stranger wrote may be made for a
    # pattern of the owner.
    import regex

    found = html
    for pattern, replacement in pairs:
        found = regex.sub(pattern, replacement, found, timeout=SECONDS)
    if found != html:
        check_limits(found, "text/html")
    return found


def _applies(rule: ContentRule, source: str, origins: Collection[str]) -> bool:
    if rule.sources and source not in rule.sources:
        return False
    if not rule.origins:
        return True
    return any(name in rule.origins or kind_of(name) in rule.origins for name in origins)


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}


def _any_in(words: Iterable[str], text: str) -> bool:
    folded = text.casefold()
    return any(word.casefold() in folded for word in words)


def _without(html: str, selectors: Sequence[str]) -> str | None:
    """Return HTML without the elements that a selector matches, None if none does."""
    import bs4

    soup = bs4.BeautifulSoup(html, "lxml")
    found = [element for selector in selectors for element in soup.select(selector)]
    for element in found:
        element.decompose()
    if not found:
        return None
    return soup.body.decode_contents() if soup.body is not None else ""
