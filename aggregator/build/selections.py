"""Which articles the feeds of tags and the named feeds of the configuration show.

Every article is examined once when it arrives, and again when it has changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Protocol

from sqlalchemy import Connection

from aggregator.articles.sanitize import plain_text
from aggregator.articles.search_query import parse
from aggregator.articles.search_text import names_of, searched
from aggregator.config.schema import ExtraFeed
from aggregator.model.articles import Article
from aggregator.model.digests import digest_of
from aggregator.model.packing import unpack
from aggregator.model.reports import Report, no_report
from aggregator.publish.documents import tags_of
from aggregator.publish.publication import Publication
from aggregator.store import published, selected
from aggregator.store.articles import articles_of, texts_of
from aggregator.store.database import Store
from aggregator.store.selected import OTHERS, Progress
from aggregator.store.windows import last_arrival

BATCH = 500
TAGS = "tags"
# A longer one is no tag, and has no feed.
MAX_TAG = 150
# Increase whenever the same rules would select other articles: all are then selected again.
VERSION = 1


class ArticleText:
    """The raw text of an article, and what filters look for words in."""

    def __init__(self, article: Article, raw: str) -> None:
        self._article, self.raw = article, raw

    @cached_property
    def shown(self) -> str:
        """Title and words, without differences of case."""
        return f"{self._article.title}\n{plain_text(self.raw)}".casefold()

    @cached_property
    def searched(self) -> str:
        """All that `aggregator search` would look through."""
        article = self._article
        return searched(article.title, self.raw, article.media_type, names_of(article))


class Selection(Protocol):
    """A way to choose articles for feeds; `rules` is a digest of all that it depends on."""

    name: str
    rules: bytes
    reads_text: bool

    def feeds_of(self, article: Article, text: ArticleText) -> set[str]:
        """Return the keys of the feeds that show an article."""
        ...


class _Tags:
    """A feed for each tag."""

    def __init__(self, publication: Publication) -> None:
        self.name, self.reads_text = TAGS, False
        self.rules = digest_of((VERSION, TAGS))
        self._publication = publication

    def feeds_of(self, article: Article, _text: ArticleText) -> set[str]:
        source = self._publication.source_name(article.source, article.source_name)
        tags = [tag for tag in tags_of(article, source) if len(tag) <= MAX_TAG]
        return {self._publication.tag_spec(tag).key for tag in tags}


class _Filter:
    """The feed of one filter."""

    def __init__(self, extra: ExtraFeed, key: str) -> None:
        self.name = key
        self.reads_text = bool(extra.words or extra.stocks or extra.search or extra.not_.words)
        self.rules = digest_of((VERSION, repr(extra)))
        self._sources, self._tags = frozenset(extra.sources), frozenset(extra.tags)
        self._words, self._title_words = _casefolded(extra.words), _casefolded(extra.title_words)
        codes = "|".join(map(re.escape, extra.stocks))
        self._stocks = re.compile(rf"(?:data-code=[\"']?\d+,|stock_\d+\.)(?:{codes})\b")
        self._has_stocks = bool(codes)
        self._query = parse(extra.search) if extra.search is not None else None
        self._not_sources = frozenset(extra.not_.sources)
        self._not_tags = frozenset(extra.not_.tags)
        self._not_words = _casefolded(extra.not_.words)

    def feeds_of(self, article: Article, text: ArticleText) -> set[str]:
        is_shown = self._selects(article, text) and not self._leaves_out(article, text)
        return {self.name} if is_shown else set()

    def _selects(self, article: Article, text: ArticleText) -> bool:
        """Return whether an article matches every criterion; the cheap ones come first."""
        return (
            (not self._sources or article.source in self._sources)
            and (not self._tags or not self._tags.isdisjoint(article.categories))
            and (not self._title_words or _has_one(self._title_words, article.title.casefold()))
            # In the raw text: sanitizing removes the markup of stocks.
            and (not self._has_stocks or self._stocks.search(text.raw) is not None)
            and (not self._words or _has_one(self._words, text.shown))
            and (self._query is None or self._query.matches(text.searched))
        )

    def _leaves_out(self, article: Article, text: ArticleText) -> bool:
        return (
            article.source in self._not_sources
            or not self._not_tags.isdisjoint(article.categories)
            or bool(self._not_words and _has_one(self._not_words, text.shown))
        )


def _casefolded(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)


def _has_one(words: Iterable[str], text: str) -> bool:
    return any(word in text for word in words)


def update(
    store: Store, publication: Publication, changed: Iterable[str], report: Report = no_report
) -> None:
    """Bring all selections up to date, and mark the feeds that become dirty."""
    selections = _selections(publication)
    rules = {selection.name: selection.rules for selection in selections}
    with store.transaction() as connection:
        known = selected.progress(connection)
        for name in OTHERS:
            known.pop(name, None)
        current = {name: done for name, done in known.items() if done.rules == rules.get(name)}
        for name in known.keys() - current.keys():
            gone = selected.forget(connection, name, "tag:" if name == TAGS else name)
            published.mark_dirty(connection, gone)
    if not selections:
        return
    upto = min(current[name].upto if name in current else 0 for name in rules)
    codes = sorted(changed)
    for start in range(0, len(codes), BATCH):
        with store.transaction() as connection:
            articles = articles_of(connection, codes[start : start + BATCH])
            _select(connection, selections, list(articles.values()))
    while True:
        with store.transaction() as connection:
            new = selected.arrived(connection, upto, BATCH)
            _select(connection, selections, [article for _, article in new])
            upto = new[-1][0] if new else upto
            selected.save_progress(
                connection, {name: Progress(digest, upto) for name, digest in rules.items()}
            )
            last = last_arrival(connection) if len(new) == BATCH else upto
        if len(new) < BATCH:
            return
        report("filters", upto, last)


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
            raw = unpack(texts[article.code]) if article.code in texts else ""
            text = ArticleText(article, raw)
            for selection in selections:
                now[article.code] |= selection.feeds_of(article, text)
    selected.replace(connection, now, articles)
    published.mark_dirty(connection, set().union(*before.values(), *now.values()))
