"""The owner's content rules: what is taken out of texts, and which articles feeds leave out.

Pure.  Rules have numbers, from 1 on, in the order of the configuration.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from aggregator.articles.sanitize import MARKDOWN, plain_text, render_markdown, sanitize
from aggregator.model.digests import digest_of
from aggregator.model.kinds import kind_of

# Increase whenever the same rules would change or exclude something else.
VERSION = 1


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
        self, source: str, origins: Collection[str], authors: Iterable[str], title: str, text: str
    ) -> int | None:
        """Return the number of the first rule that excludes an article, None if none does.

        `text` is HTML, and read only by rules with words: see `reads_texts`.
        """
        shown = ""
        for number, rule in self._rules:
            exclude = rule.exclude
            if exclude is None or not _applies(rule, source, origins):
                continue
            if _any_in(exclude.titles, title) or _any_in(exclude.words, title):
                return number
            if _folded(exclude.authors) & _folded(authors):
                return number
            if exclude.words:
                shown = shown or plain_text(text)
                if _any_in(exclude.words, shown):
                    return number
        return None


NO_RULES = ContentRules(())


def clean(text: str, kind: str, base: str, rules: Sequence[TextRule]) -> tuple[str, list[int]]:
    """Return a text sanitized, with all rules applied, and the numbers of those that changed it.

    `kind` and `base` are as in `sanitize`, which has the last word: whatever a pattern puts
    into a text is sanitized as well.
    """
    changed_by = []
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
        replaced = html
        for pattern, replacement in rule.replace:
            replaced = re.sub(pattern, replacement, replaced)
        if replaced != html:
            html = sanitize(replaced, "text/html", base)
            changed_by.append(rule.number)
    return html, sorted(set(changed_by))


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
