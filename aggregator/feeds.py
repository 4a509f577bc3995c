"""Articles → entries and feed documents (design §6).  Pure."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aggregator import __version__
from aggregator.content import CLEANER_VERSION
from aggregator.identity import entry_id, source_slug
from aggregator.model import Article, Entry, FeedDocument, FeedOrigin, FeedSpec, SourceName

COMBINED = "all"


@dataclass(frozen=True, slots=True)
class Publication:
    """What all feeds of a site have in common."""

    title: str
    subtitle: str | None
    site_url: str
    language: str
    timezone: str
    author: str
    tag: str
    icon: str | None
    logo: str | None
    feeds_url: str
    entries: int
    combined_entries: int
    source_names: Mapping[str, str]
    source_urls: Mapping[str, str]

    def source_spec(self, source: str) -> FeedSpec:
        """The feed of one source."""
        path = f"sources/{source_slug(source)}.atom"
        return FeedSpec(f"source:{source}", path, source, self.entries)

    def sources_of(self, keys: Iterable[str]) -> set[str]:
        """The sources whose feeds have these keys."""
        return {key.removeprefix("source:") for key in keys if key.startswith("source:")}

    def combined_spec(self) -> FeedSpec:
        """The feed of all sources together."""
        return FeedSpec(COMBINED, "all.atom", None, self.combined_entries)

    def source_name(self, source: str, learnt: str | None) -> SourceName:
        """A source as feeds name it: by config, else as learnt, else by its key."""
        slug = source_slug(source)
        name = self.source_names.get(source) or self.source_names.get(slug) or learnt or source
        return SourceName(source, slug, name)

    def feed_title(self, source: SourceName) -> str:
        """The title of a source's feed."""
        return f"{source.name} - {self.title}"

    def feed_id(self, spec: FeedSpec) -> str:
        """The feed's id, which no change of address or format moves."""
        return entry_id(self.tag, "feeds/" + spec.path.removesuffix(".atom"))

    def feed_url(self, spec: FeedSpec) -> str:
        """Where the feed is published."""
        return self.feeds_url + spec.path

    def base(self, article: Article) -> str:
        """What relative URLs in an article's text start from."""
        if article.base is not None:
            return article.base
        link = article.link
        return link if link is not None and link.startswith(self.site_url) else self.site_url

    @property
    def cleaning(self) -> bytes:
        """A digest of all that clean texts depend on beside the text."""
        return hashlib.blake2b(
            repr((CLEANER_VERSION, self.site_url)).encode(), digest_size=16
        ).digest()

    def rules(self, spec: FeedSpec) -> bytes:
        """A digest of all that a feed depends on beside its articles."""
        values = repr((__version__, CLEANER_VERSION, dataclasses.astuple(self), spec))
        return hashlib.blake2b(values.encode(), digest_size=16).digest()


def make_entry(publication: Publication, article: Article, source: SourceName) -> Entry:
    """An article as an entry, its content still empty."""
    zone = ZoneInfo(publication.timezone)
    return Entry(
        id=entry_id(publication.tag, article.code),
        title=article.title,
        published=article.published.astimezone(zone),
        updated=(article.updated or article.published).astimezone(zone),
        source=source,
        content="",
        alternate=article.link or article.share_url or publication.site_url,
        via=article.share_url,
        categories=tuple(
            category
            for category in article.categories
            if category not in (source.key, source.name, source.name + "新闻")
        ),
        enclosures=article.enclosures,
    )


def make_document(
    publication: Publication,
    spec: FeedSpec,
    source: SourceName | None,
    entries: tuple[Entry, ...],
    origins: Mapping[str, FeedOrigin],
) -> FeedDocument:
    """A feed of these entries, newest first.

    It was updated when its newest entry was, never now; without entries, on the first
    day of the year of its tag.
    """
    zone = ZoneInfo(publication.timezone)
    year = int(publication.tag.rpartition(",")[2][:4])
    return FeedDocument(
        id=publication.feed_id(spec),
        self_url=publication.feed_url(spec),
        alternate=publication.source_urls.get(spec.source or "", publication.site_url),
        title=publication.feed_title(source) if source else publication.title,
        subtitle=None if source else publication.subtitle,
        language=publication.language,
        updated=max(
            (entry.updated for entry in entries), default=datetime.datetime(year, 1, 1, tzinfo=zone)
        ),
        author=source.name if source else publication.author,
        entries=entries,
        icon=publication.icon,
        logo=publication.logo,
        origins=origins,
    )
