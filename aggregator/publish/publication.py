"""Articles → entries and feed documents.  Pure."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from aggregator import __version__
from aggregator.articles.content_rules import ContentRules
from aggregator.articles.identity import entry_id, source_slug
from aggregator.articles.sanitize import SANITIZER_VERSION
from aggregator.articles.sources import NEWS
from aggregator.config.rules import ContentRule
from aggregator.config.schema import Feeds, Settings, Site, Source
from aggregator.model.articles import NO_SOURCE, Article
from aggregator.model.digests import digest_of
from aggregator.model.errors import without_credentials
from aggregator.model.feeds import (
    COMBINED,
    Archive,
    ArchivePlace,
    Entry,
    FeedDocument,
    FeedOrigin,
    FeedSpec,
    SourceName,
    key_of,
)
from aggregator.model.formats import FORMATS

PAGE, OPML = "index.html", "feeds.opml"
# The folders of archives and of each kind of feed, within the feeds folder.
ARCHIVES = "archives/"
FOLDERS = {"source": "sources", "tag": "tags", "extra": "extra"}
# The folders of published files, relative to the feeds folder, which is "".
PLACES = ("", *FOLDERS.values(), "archives", *(ARCHIVES + name for name in FOLDERS.values()))


@dataclass(frozen=True)
class Publication:
    """The feeds of a site, and what they have in common."""

    site: Site
    feeds: Feeds
    sources: Mapping[str, Source]
    author: str
    content_rules: tuple[ContentRule, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Publication:
        """Return the publication that the settings describe."""
        return cls(settings.site, settings.feeds, settings.sources, settings.author, settings.rules)

    def source_spec(self, source: str) -> FeedSpec:
        """The feed of one source."""
        return self._spec("source", source, source_slug(source))

    def tag_spec(self, tag: str) -> FeedSpec:
        """The feed of one tag."""
        return self._spec("tag", tag, source_slug(tag))

    def extra_spec(self, name: str) -> FeedSpec:
        """The feed of a name in the configuration."""
        return self._spec("extra", name, name)

    def combined_spec(self) -> FeedSpec:
        """The feed of all sources together."""
        return FeedSpec(COMBINED, "all", "all", "", self.feeds.combined_entries)

    def _spec(self, kind: str, subject: str, slug: str) -> FeedSpec:
        return FeedSpec(
            key_of(kind, subject), f"{FOLDERS[kind]}/{slug}", kind, subject, self.feeds.entries
        )

    def spec_of(self, key: str) -> FeedSpec | None:
        """Return the feed with this key, or None if it is no longer configured."""
        kind, _, subject = key.partition(":")
        if key == COMBINED:
            return self.combined_spec()
        if kind == "source":
            return self.source_spec(subject)
        if kind == "tag" and self.feeds.tags:
            return self.tag_spec(subject)
        if kind == "extra" and subject in self.feeds.extra:
            return self.extra_spec(subject)
        return None

    def source_name(self, source: str, learnt: str | None) -> SourceName:
        """Return a source with its name: as configured, else as learnt from posts, else its key.

        That of articles that belong to the site itself is the site's author.
        """
        if source == NO_SOURCE:
            return SourceName(source, "", self.author)
        slug = source_slug(source)
        configured = (self.sources[key].name for key in (source, slug) if key in self.sources)
        return SourceName(source, slug, next(filter(None, configured), learnt or source))

    def author_of(self, article: Article, source: SourceName) -> str:
        """Return the author of an entry: the article's own, else its source."""
        return article.author or source.name

    def source_url(self, source: str | None) -> str | None:
        """Return the URL of a source's own site, if one is configured."""
        return self.sources[source].url if source and source in self.sources else None

    def subject_name(self, spec: FeedSpec, source: SourceName | None) -> str:
        """Return what a feed is about: the name of a source, a tag, a title."""
        if source is not None:
            return source.name
        if spec.kind == "extra":
            return self.feeds.extra[spec.subject].title or spec.subject
        return spec.subject if spec.kind == "tag" else self.site.title

    def feed_title(self, name: str) -> str:
        """Return the title of a feed of one part of the site, named `name`."""
        return f"{name} - {self.site.title}"

    def feed_id(self, spec: FeedSpec) -> str:
        """Return the feed's id, which does not change with its URL or format."""
        return entry_id(self.site.tag, "feeds/" + spec.stem)

    def feed_urls(self, spec: FeedSpec) -> dict[str, str]:
        """Return the URLs of the feed, by format."""
        return {name: self.feeds.url + path for name, path in self.feed_paths(spec).items()}

    def feed_paths(self, spec: FeedSpec) -> dict[str, str]:
        """Return the paths of the feed's files, by format."""
        return {name: spec.stem + FORMATS[name].extension for name in self.feeds.formats}

    def archive_path(self, spec: FeedSpec, number: int) -> str:
        """Return the path of one of the feed's archive documents."""
        return f"{ARCHIVES}{spec.stem}.{number}{FORMATS['atom'].extension}"

    @property
    def page_url(self) -> str | None:
        """The URL of the index page, or None if there is none."""
        return self.feeds.url + PAGE if self.feeds.page else None

    def base(self, article: Article) -> str:
        """Return the base of relative URLs in an article's text."""
        if article.base is not None:
            return article.base
        link = article.link
        return link if link is not None and link.startswith(self.site.url) else self.site.url

    @cached_property
    def content(self) -> ContentRules:
        """What is taken out of texts, and which articles feeds leave out."""
        return ContentRules(self.content_rules)

    @property
    def sanitizing(self) -> bytes:
        """A digest of all that a sanitized text depends on except the text."""
        return digest_of((SANITIZER_VERSION, self.site.url, self.content.text_digest))

    def rules(self, spec: FeedSpec) -> bytes:
        """Return a digest of all that a feed depends on except its articles."""
        return digest_of((self._rules, spec))

    @cached_property
    def _rules(self) -> bytes:
        return digest_of((__version__, SANITIZER_VERSION, self))


def make_entry(publication: Publication, article: Article, source: SourceName) -> Entry:
    """Return an article as an entry, without its content."""
    zone = ZoneInfo(publication.site.timezone)
    link = article.link and without_credentials(article.link)
    share_url = article.share_url and without_credentials(article.share_url)
    return Entry(
        id=entry_id(publication.site.tag, article.code),
        title=article.title,
        published=article.published.astimezone(zone),
        updated=(article.updated or article.published).astimezone(zone),
        source=source,
        author=publication.author_of(article, source),
        content="",
        alternate=link or share_url or publication.site.url,
        via=share_url,
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
        origins=origins,
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
            current=urls.get("atom", next(iter(urls.values()))),
            previous=_archive_url(publication, spec, number - 1),
            next=_archive_url(publication, spec, number + 1) if archive.is_sealed else None,
        ),
    )


def _archive_url(publication: Publication, spec: FeedSpec, number: int | None) -> str | None:
    return publication.feeds.url + publication.archive_path(spec, number) if number else None
