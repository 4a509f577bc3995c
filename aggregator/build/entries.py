"""Articles → what their entries are made of: the names of their sources, and their texts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from aggregator.build.context import Context
from aggregator.build.rendering import Body
from aggregator.model.articles import Article
from aggregator.model.feeds import SourceName
from aggregator.model.packing import pack
from aggregator.store import renditions
from aggregator.store.articles import bodies_of, source_name
from aggregator.store.copies import origins_of


@dataclass(slots=True)
class SourceNames:
    """The names of sources in one build; `learnt` are those that posts use."""

    context: Context
    learnt: dict[str, str | None] = field(default_factory=dict)

    def of(
        self, connection: Connection, articles: Iterable[Article], own: str | None = None
    ) -> dict[str, SourceName]:
        """Return the names of the articles' sources, and of the source `own`, by key.

        They are as configured, else those of their newest article.  The manifest is no help,
        since the feed of a source may have failed.
        """
        sources = {article.source for article in articles}
        if own is not None:
            sources.add(own)
        for source in sources - self.learnt.keys():
            self.learnt[source] = source_name(connection, source, self.context.now)
        publication = self.context.publication
        return {source: publication.source_name(source, self.learnt[source]) for source in sources}


def bodies(
    context: Context, connection: Connection, articles: list[Article]
) -> dict[tuple[str, int], Body]:
    """Return the sanitized HTML of each revision, or its raw text if there is none yet."""
    publication = context.publication
    sanitized = renditions.renditions(connection, articles, publication.sanitizing)
    raw = {
        item.body_id
        for item in articles
        if item.body_id and (item.code, item.revision) not in sanitized
    }
    texts = bodies_of(connection, raw) if raw else {}
    content = publication.content
    origins: Mapping[str, Collection[str]] = {}
    if raw and content.names_origins:
        origins = origins_of(connection, [item.code for item in articles])
    found = {}
    for article in articles:
        key = article.code, article.revision
        if key in sanitized:
            found[key] = Body(key, sanitized[key], page=article.link)
        else:
            found[key] = Body(
                key,
                texts.get(article.body_id or 0) or pack(""),
                article.media_type,
                publication.base(article),
                rules=content.for_text(article.source, origins.get(article.code, ())),
                page=article.link,
            )
    return found
