"""Articles → entries and feed documents.  Pure."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from aggregator.articles.identity import entry_id
from aggregator.articles.sources import NEWS
from aggregator.model.articles import Article
from aggregator.model.errors import without_credentials
from aggregator.model.feeds import (
    Archive,
    ArchivePlace,
    Entry,
    FeedDocument,
    FeedOrigin,
    FeedSpec,
    SourceName,
)
from aggregator.model.formats import feeds_of
from aggregator.publish.publication import Publication


def make_entry(publication: Publication, article: Article, source: SourceName) -> Entry:
    """Return an article as an entry, without its content."""
    zone = ZoneInfo(publication.site.timezone)
    link = article.link and without_credentials(article.link)
    share_url = article.share_url and without_credentials(article.share_url)
    path = publication.article_path(article)
    own = publication.feeds.url + path if path else None
    return Entry(
        id=entry_id(publication.site.tag, article.code),
        title=article.title,
        published=article.published.astimezone(zone),
        updated=(article.updated or article.published).astimezone(zone),
        source=source,
        author=publication.author_of(article, source),
        content="",
        alternate=own or link or share_url or publication.site.url,
        via=(share_url or link) if own else share_url,
        categories=tags_of(article, source),
        enclosures=tuple(
            dataclasses.replace(file, url=without_credentials(file.url))
            for file in article.enclosures
        ),
    )


def tags_of(article: Article, source: SourceName) -> tuple[str, ...]:
    """Return an article's categories without those that name its source."""
    return tuple(
        category
        for category in article.categories
        if category not in (source.key, source.name, source.name + NEWS)
    )


def make_document(
    publication: Publication,
    spec: FeedSpec,
    source: SourceName | None,
    entries: tuple[Entry, ...],
    origins: Mapping[str, FeedOrigin],
    newest_archive: int | None = None,
) -> FeedDocument:
    """Return a feed of these entries, newest first.

    Its `updated` is that of its newest entry, never the clock; without entries, the first day
    of the year of the site's tag.  The last document of its archive is `newest_archive`.
    """
    zone = ZoneInfo(publication.site.timezone)
    year = int(publication.site.tag.rpartition(",")[2][:4])
    name = publication.subject_name(spec, source)
    return FeedDocument(
        id=publication.feed_id(spec),
        urls=publication.feed_urls(spec),
        alternate=publication.source_url(spec.source) or publication.site.url,
        title=publication.site.title if spec.kind == "all" else publication.feed_title(name),
        subtitle=publication.site.subtitle if spec.kind == "all" else None,
        language=publication.site.language,
        updated=max(
            (entry.updated for entry in entries), default=datetime.datetime(year, 1, 1, tzinfo=zone)
        ),
        author=source.name if source else publication.author,
        entries=entries,
        icon=publication.site.icon,
        logo=publication.site.logo,
        hubs=publication.feeds.hubs,
        page=publication.page_url,
        root="../" * spec.stem.count("/"),
        archive=ArchivePlace(previous=_archive_url(publication, spec, newest_archive)),
        frame=publication.frame,
        origins=origins,
        rights=publication.site.rights,
        license=publication.site.license,
        is_excerpt=spec.kind == "extra" and publication.feeds.extra[spec.subject].excerpt,
    )


def as_archive(
    publication: Publication, spec: FeedSpec, document: FeedDocument, archive: Archive
) -> FeedDocument:
    """Return an archive document of the same feed (RFC 5005 §4).

    It has no hub, since nobody subscribes to it.
    """
    number = archive.number
    urls = publication.feed_urls(spec)
    return dataclasses.replace(
        document,
        urls={"atom": publication.feeds.url + publication.archive_path(spec, number)},
        hubs=(),
        root="../" + document.root,
        archive=ArchivePlace(
            current=urls.get("atom", next(iter(feeds_of(urls).values()))),
            previous=_archive_url(publication, spec, number - 1),
            next=_archive_url(publication, spec, number + 1) if archive.is_sealed else None,
        ),
    )


def _archive_url(publication: Publication, spec: FeedSpec, number: int | None) -> str | None:
    return publication.feeds.url + publication.archive_path(spec, number) if number else None
