"""Which articles the feeds of tags and the named feeds of the configuration show.

Every article is looked at once when it arrives, and again when it has changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sqlalchemy import Connection

from aggregator.articles.sanitize import plain_text
from aggregator.model.articles import Article
from aggregator.model.digests import digest_of
from aggregator.model.packing import unpack
from aggregator.publish.publication import Extra, Publication, tags_of
from aggregator.store import published, selected
from aggregator.store.articles import articles_of, bodies_of
from aggregator.store.database import Store
from aggregator.store.selected import Progress

PAGE = 500
TAGS = "tags"
# One more whenever the same rules find other articles than before.
VERSION = 1
Chooser = Callable[[Article, str], set[str]]


def update(store: Store, publication: Publication, changed: Iterable[str]) -> None:
    """Bring all selections up to date, and note the feeds that may look different."""
    wanted = _choosers(publication)
    with store.transaction() as connection:
        known = selected.progress(connection)
        _forget_others(connection, known.keys() - wanted.keys())
        for name, (rules, _) in wanted.items():
            if name in known and known[name].rules != rules:
                _forget_others(connection, [name])
                del known[name]
    if not wanted:
        return
    upto = min(known[name].upto if name in known else 0 for name in wanted)
    reads_text = any(extra.words or extra.stocks for extra in publication.extras)

    def choose(connection: Connection, articles: list[Article]) -> None:
        texts = _texts(connection, articles) if reads_text else {}
        before = selected.feeds_of(connection, [article.code for article in articles])
        now = {
            article.code: set()
            if article.removed or not article.revision
            else set().union(
                *(choose(article, texts.get(article.code, "")) for _, choose in wanted.values())
            )
            for article in articles
        }
        selected.replace(connection, now, articles)
        published.touch_feeds(
            connection, set().union(*before.values(), *now.values()) if now else set()
        )

    codes = sorted(changed)
    for start in range(0, len(codes), PAGE):
        with store.transaction() as connection:
            choose(
                connection,
                list(articles_of(connection, codes[start : start + PAGE]).values()),
            )
    while True:
        with store.transaction() as connection:
            new = selected.arrived(connection, upto, PAGE)
            choose(connection, [article for _, article in new])
            upto = new[-1][0] if new else upto
            selected.save_progress(
                connection, {name: Progress(rules, upto) for name, (rules, _) in wanted.items()}
            )
        if len(new) < PAGE:
            return


def _choosers(publication: Publication) -> dict[str, tuple[bytes, Chooser]]:
    """For each selection a digest of its rules, and which feeds it puts an article into."""
    found: dict[str, tuple[bytes, Chooser]] = {}
    if publication.has_tags:
        found[TAGS] = (
            digest_of((VERSION, TAGS)),
            lambda article, _: {
                publication.tag_spec(tag).key
                for tag in tags_of(
                    article, publication.source_name(article.source, article.source_name)
                )
            },
        )
    for extra in publication.extras:
        spec = publication.extra_spec(extra.name)
        found[spec.key] = (digest_of((VERSION, repr(extra))), _filter(extra, spec.key))
    return found


def _filter(extra: Extra, key: str) -> Chooser:
    sources, tags = frozenset(extra.sources), frozenset(extra.tags)
    words = tuple(word.casefold() for word in extra.words)
    codes = "|".join(map(re.escape, extra.stocks))
    stocks = re.compile(rf"(?:data-code=[\"']?\d+,|stock_\d+\.)(?:{codes})\b") if codes else None

    def choose(article: Article, text: str) -> set[str]:
        if sources and article.source not in sources:
            return set()
        if tags and tags.isdisjoint(article.categories):
            return set()
        if stocks is not None and stocks.search(text) is None:
            return set()
        if words:
            shown = f"{article.title}\n{plain_text(text)}".casefold()
            if not any(word in shown for word in words):
                return set()
        return {key}

    return choose


def _texts(connection: Connection, articles: Iterable[Article]) -> dict[str, str]:
    """Texts as they were found: what feeds show has lost the mark-up of stocks."""
    ids = {article.body_id: article.code for article in articles if article.body_id is not None}
    return {ids[number]: unpack(body) for number, body in bodies_of(connection, ids.keys()).items()}


def _forget_others(connection: Connection, names: Iterable[str]) -> None:
    for name in names:
        gone = selected.forget(connection, name, "tag:" if name == TAGS else name)
        published.touch_feeds(connection, gone)
