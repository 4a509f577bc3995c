"""What `search` reports, as plain values: times are RFC 3339."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from aggregator.articles.dates import parse_date
from aggregator.articles.identity import named_source
from aggregator.articles.search_query import parse
from aggregator.cli.queries import Values, opened, time_text
from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.config.values import Duration
from aggregator.model.errors import QueryError
from aggregator.publish.documents import make_entry
from aggregator.publish.publication import Publication
from aggregator.store import windows
from aggregator.store.search_index import Bounds
from aggregator.store.search_update import search as found_by

_DURATION: TypeAdapter[datetime.timedelta] = TypeAdapter(Duration)


def search(
    settings: Settings, words: str, source: str | None, since: str | None, limit: int
) -> list[Values]:
    """Return the newest articles that match, newest first.

    Raises `QueryError` for words or a `since` that mean nothing, `UnknownSourceError`, and
    `StoreError`.
    """
    query = parse(words)
    now = datetime.datetime.now(datetime.UTC)
    earliest = None if since is None else int(_moment(since, now, settings).timestamp())
    publication = Publication.of(settings)
    with opened(settings) as store:
        if source is not None:
            with store.reading() as connection:
                source = named_source(source, windows.sources(connection))
        bounds = Bounds(int(now.timestamp()), earliest, source)
        articles = found_by(store, paths.search_path(settings), query, bounds, limit)
    found = []
    for article in articles:
        name = publication.source_name(article.source, article.source_name)
        found.append(
            {
                "code": article.code,
                "title": article.title,
                "source": article.source,
                "source_name": name.name,
                "published": time_text(article.published),
                "url": make_entry(publication, article, name).alternate,
            }
        )
    return found


def _moment(text: str, now: datetime.datetime, settings: Settings) -> datetime.datetime:
    """Return the moment that a date names, or that is a duration ago.  Raises `QueryError`."""
    try:
        return now - _DURATION.validate_python(text)
    except (ValidationError, OverflowError):
        moment = parse_date(text, ZoneInfo(settings.site.timezone))
    if moment is None:
        raise QueryError(f"--since {text}: write a date like 2022-01-27, or a duration like 48h")
    return moment
