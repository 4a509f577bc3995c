"""What `aggregator similar` and `show` report of similar articles, as plain values."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator.cli.queries import Values, reading, time_text
from aggregator.config.schema import Settings
from aggregator.model.articles import Article
from aggregator.publish.documents import make_entry
from aggregator.publish.publication import Publication
from aggregator.store import similar, stories
from aggregator.store.articles import articles_of


def groups(settings: Settings, since: datetime.datetime | None) -> list[Values]:
    """Return the groups of similar articles that feeds show, the newest first.

    A group has all that are similar to one of it, in the order in which they were published, each
    with the largest share that it has in common with another one, in percent.  `since` is a day:
    groups without an article published on it or later are left out.
    """
    now = datetime.datetime.now(datetime.UTC)
    start = since and since.replace(tzinfo=ZoneInfo(settings.site.timezone))
    with reading(settings) as connection:
        pairs = similar.pairs_shown(connection, now)
        shares = {code: max(others.values()) for code, others in pairs.items()}
        articles = articles_of(connection, pairs)
        values = _values(settings, connection, articles.values(), shares)
    found = []
    for codes in components(pairs):
        group = sorted(
            (articles[code] for code in codes), key=lambda one: (one.published, one.code)
        )
        if start is None or group[-1].published >= start:
            found.append(group)
    found.sort(key=lambda group: (group[-1].published, group[-1].code), reverse=True)
    return [{"articles": [values[article.code] for article in group]} for group in found]


def similar_articles(settings: Settings, connection: Connection, code: str) -> list[Values]:
    """Return the articles that tell the same story as one."""
    now = datetime.datetime.now(datetime.UTC)
    shares = dict(similar.similar_to(connection, [code], now).get(code, ()))
    found = articles_of(connection, shares)
    values = _values(settings, connection, found.values(), shares)
    return [values[other] for other in shares]


def components(pairs: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return what is connected by pairs, in the order of the first of each.

    >>> [sorted(group) for group in components({"a": "b", "b": "ac", "c": "b", "d": "e", "e": "d"})]
    [['a', 'b', 'c'], ['d', 'e']]
    """
    found: list[set[str]] = []
    seen: set[str] = set()
    for start in pairs:
        if start in seen:
            continue
        group, rest = {start}, [start]
        while rest:
            new = set(pairs[rest.pop()]) - group
            group |= new
            rest += new
        seen |= group
        found.append(group)
    return found


def _values(
    settings: Settings,
    connection: Connection,
    articles: Iterable[Article],
    shares: Mapping[str, int],
) -> dict[str, Values]:
    publication, found = Publication.of(settings), {}
    firsts = stories.firsts(connection, shares)
    for article in articles:
        source = publication.source_name(article.source, article.source_name)
        entry = make_entry(publication, article, source)
        first = firsts.get(article.code, article.code)
        found[article.code] = {
            "code": article.code,
            "share": shares[article.code],
            "title": article.title,
            "source": article.source,
            "name": source.name,
            "published": time_text(article.published),
            "link": entry.alternate,
            "hidden_behind": first if first != article.code else None,
        }
    return found
