"""The section `rules`: what is removed from texts, and which articles feeds exclude."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, model_validator

from aggregator.config.values import FilterText, Pattern, Section
from aggregator.model.kinds import ORIGIN_KINDS, kind_of

if TYPE_CHECKING:
    from aggregator.config.schema import Settings


def _replacement(value: tuple[str, str]) -> tuple[str, str]:
    import regex

    pattern, text = value
    try:
        # An empty match is always found, so that the text is used.
        regex.sub(f"{pattern}|", text, "")
    except (regex.error, IndexError) as error:
        raise ValueError(f"{text} cannot take the place of {pattern}: {error}") from error
    return value


def _selector(value: str) -> str:
    import soupsieve

    try:
        soupsieve.compile(value)
    except (soupsieve.SelectorSyntaxError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"not a CSS selector: {reason}") from error
    return value


Selector = Annotated[str, AfterValidator(_selector)]
# A pattern, and what takes the place of its matches, which may use the pattern's groups.
Replacement = Annotated[tuple[Pattern, str], AfterValidator(_replacement)]


class Exclude(Section):
    """Articles that feeds leave out: one match is enough."""

    words: tuple[FilterText, ...] = ()
    titles: tuple[FilterText, ...] = ()
    authors: tuple[FilterText, ...] = ()

    @model_validator(mode="after")
    def _selects(self) -> Exclude:
        if not (self.words or self.titles or self.authors):
            raise ValueError("needs words, titles or authors")
        return self


class ContentRule(Section):
    """One rule: for the articles of the given sources and origins, by default for all."""

    sources: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    remove: tuple[Selector, ...] = ()
    replace: tuple[Replacement, ...] = ()
    exclude: Exclude | None = None

    @model_validator(mode="after")
    def _does_something(self) -> ContentRule:
        if not (self.remove or self.replace or self.exclude):
            raise ValueError("needs remove, replace or exclude")
        return self


def unknown_origins(settings: Settings) -> Iterator[tuple[int, str]]:
    """Yield the index of each rule that names an unknown origin, and the reason."""
    known = {*ORIGIN_KINDS, *settings.origin_names}
    for number, rule in enumerate(settings.rules):
        for name in rule.origins:
            # The feeds of a list at a URL may come later.
            if name not in known and not (settings.feed_lists and kind_of(name) in ORIGIN_KINDS):
                kinds = ", ".join(ORIGIN_KINDS)
                yield (
                    number,
                    f'"{name}" is not an origin; write {kinds}, or a name of aggregator status',
                )
