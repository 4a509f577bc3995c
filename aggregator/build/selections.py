"""Which articles the feeds of tags and the named feeds of the configuration show.

Every article is examined once when it arrives, and again when it has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import Connection

from aggregator.articles.sanitize import plain_text
from aggregator.config.schema import ExtraFeed
from aggregator.model.articles import Article
from aggregator.model.digests import digest_of
from aggregator.model.packing import unpack
from aggregator.publish.publication import Publication, tags_of
from aggregator.store import published, selected
from aggregator.store.articles import articles_of, texts_of
from aggregator.store.database import Store
from aggregator.store.selected import EXCLUSIONS, Progress

PAGE = 500
TAGS = "tags"
# A longer one is no tag, and has no feed.
MAX_TAG = 150
# Increase whenever the same rules would select other articles: all are then selected again.
VERSION = 1


class Selection(Protocol):
    """A way to choose articles for feeds; `rules` is a digest of all that it depends on."""

    name: str
    rules: bytes
    reads_text: bool

    def feeds_of(self, article: Article, text: str) -> set[str]:
        """Return the keys of the feeds that show an article."""
        ...


class _Tags:
    """A feed for each tag."""

    def __init__(self, publication: Publication) -> None:
        self.name, self.reads_text = TAGS, False
        self.rules = digest_of((VERSION, TAGS))
        self._publication = publication

    def feeds_of(self, article: Article, _text: str) -> set[str]:
        source = self._publication.source_name(article.source, article.source_name)
        tags = [tag for tag in tags_of(article, source) if len(tag) <= MAX_TAG]
        return {self._publication.tag_spec(tag).key for tag in tags}


class _Filter:
    """The feed of one filter."""

    def __init__(self, extra: ExtraFeed, key: str) -> None:
        self.name, self.reads_text = key, bool(extra.words or extra.stocks)
        self.rules = digest_of((VERSION, repr(extra)))
        self._sources, self._tags = frozenset(extra.sources), frozenset(extra.tags)
        self._words = tuple(word.casefold() for word in extra.words)
        codes = "|".join(map(re.escape, extra.stocks))
        self._stocks = re.compile(rf"(?:data-code=[\"']?\d+,|stock_\d+\.)(?:{codes})\b")
        self._has_stocks = bool(codes)

    def feeds_of(self, article: Article, text: str) -> set[str]:
        return {self.name} if self._shows(article, text) else set()

    def _shows(self, article: Article, text: str) -> bool:
        if self._sources and article.source not in self._sources:
            return False
        if self._tags and self._tags.isdisjoint(article.categories):
            return False
        if self._has_stocks and self._stocks.search(text) is None:
            return False
        if not self._words:
            return True
        shown = f"{article.title}\n{plain_text(text)}".casefold()
        return any(word in shown for word in self._words)


def update(store: Store, publication: Publication, changed: Iterable[str]) -> None:
    """Bring all selections up to date, and mark the feeds that become dirty."""
    selections = _selections(publication)
    rules = {selection.name: selection.rules for selection in selections}
    with store.transaction() as connection:
        known = selected.progress(connection)
        known.pop(EXCLUSIONS, None)
        current = {name: done for name, done in known.items() if done.rules == rules.get(name)}
        for name in known.keys() - current.keys():
            gone = selected.forget(connection, name, "tag:" if name == TAGS else name)
            published.mark_dirty(connection, gone)
    if not selections:
        return
    upto = min(current[name].upto if name in current else 0 for name in rules)
    codes = sorted(changed)
    for start in range(0, len(codes), PAGE):
        with store.transaction() as connection:
            articles = articles_of(connection, codes[start : start + PAGE])
            _select(connection, selections, list(articles.values()))
    while True:
        with store.transaction() as connection:
            new = selected.arrived(connection, upto, PAGE)
            _select(connection, selections, [article for _, article in new])
            upto = new[-1][0] if new else upto
            selected.save_progress(
                connection, {name: Progress(digest, upto) for name, digest in rules.items()}
            )
        if len(new) < PAGE:
            return


def _selections(publication: Publication) -> list[Selection]:
    tags: list[Selection] = [_Tags(publication)] if publication.feeds.tags else []
    return tags + [
        _Filter(extra, publication.extra_spec(name).key)
        for name, extra in publication.feeds.extra.items()
    ]


def _select(
    connection: Connection, selections: Sequence[Selection], articles: list[Article]
) -> None:
    """Save which feeds show the given articles; mark these feeds and those that showed them."""
    reads_text = any(selection.reads_text for selection in selections)
    texts = texts_of(connection, articles) if reads_text else {}
    before = selected.feeds_of(connection, [article.code for article in articles])
    now: dict[str, set[str]] = {article.code: set() for article in articles}
    for article in articles:
        if article.revision and not article.is_withdrawn:
            for selection in selections:
                # Raw texts: sanitizing removes the markup of stocks.
                text = unpack(texts[article.code]) if article.code in texts else ""
                now[article.code] |= selection.feeds_of(article, text)
    selected.replace(connection, now, articles)
    published.mark_dirty(connection, set().union(*before.values(), *now.values()))
