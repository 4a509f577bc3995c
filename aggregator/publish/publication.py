"""The feeds of a site: their names, places and URLs, and what they have in common.  Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from aggregator import __version__
from aggregator.articles.content_rules import ContentRules
from aggregator.articles.identity import entry_id, page_name, source_slug
from aggregator.articles.sanitize import SANITIZER_VERSION
from aggregator.config.content import ImageRule
from aggregator.config.rules import ContentRule
from aggregator.config.schema import Feeds, Settings, Site, Source
from aggregator.model.articles import NO_SOURCE, Article
from aggregator.model.digests import digest_of
from aggregator.model.feeds import (
    COMBINED,
    FeedSpec,
    SourceName,
    key_of,
)
from aggregator.model.formats import FORMATS
from aggregator.model.frame import Frame

PAGE, OPML = "index.html", "feeds.opml"
# What pages and feeds refer to.
ASSETS = ("feeds.css", "feeds.js", "feed.css", "icon.svg")
# The folders of archives and of each kind of feed, within the feeds folder.
ARCHIVES = "archives/"
FOLDERS = {"source": "sources", "tag": "tags", "extra": "extra"}
# The folders of published files, relative to the feeds folder, which is "".
PLACES = ("", *FOLDERS.values(), "archives", *(ARCHIVES + name for name in FOLDERS.values()))
# The folder of pages of articles and lists of their titles, and those of its months.
ARTICLES = "articles"
_MONTH = re.compile(rf"{ARTICLES}/[0-9]{{4}}/[0-9]{{2}}")


def is_place(folder: str) -> bool:
    """Return whether a folder, relative to the feeds folder, is one of published files."""
    return folder in PLACES or folder == ARTICLES or _MONTH.fullmatch(folder) is not None


@dataclass(frozen=True)
class Publication:
    """The feeds of a site, and what they have in common."""

    site: Site
    feeds: Feeds
    sources: Mapping[str, Source]
    author: str
    content_rules: tuple[ContentRule, ...] = ()
    templates: Mapping[str, str] = field(default_factory=dict)
    images: tuple[ImageRule, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Publication:
        """Return the publication that the settings describe."""
        return cls(
            settings.site,
            settings.feeds,
            settings.sources,
            settings.author,
            settings.rules,
            settings.templates,
            settings.content.images,
        )

    def source_spec(self, source: str) -> FeedSpec:
        """The feed of one source."""
        return self._spec("source", source, source_slug(source))

    def tag_spec(self, tag: str) -> FeedSpec:
        """The feed of one tag."""
        return self._spec("tag", tag, source_slug(tag))

    def extra_spec(self, name: str) -> FeedSpec:
        """The feed of a name in the configuration."""
        spec = self._spec("extra", name, name)
        if self.feeds.extra[name].has_criteria:
            return spec
        return replace(spec, limit=self.feeds.combined_entries)

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

    @property
    def has_pages(self) -> bool:
        """Whether there are pages to read, and lists of all titles."""
        return "html" in self.feeds.formats

    @property
    def has_article_pages(self) -> bool:
        """Whether articles have pages of their own here: elsewhere, they are the site's."""
        return self.has_pages and self.site.permalink is None

    def page_rules(self, version: int) -> bytes:
        """Return a digest of all that pages and lists depend on except their articles."""
        return digest_of(
            (
                __version__,
                version,
                self.sanitizing,
                self.site,
                self.sources,
                self.author,
                self.templates,
                self.images,
                (self.feeds.url, self.feeds.formats, self.feeds.page, self.feeds.search),
                self.feeds.compress,
            )
        )

    def month_of(self, published: datetime.datetime) -> str:
        """Return the month in whose folder an article's page is, once and for all."""
        return f"{published.astimezone(ZoneInfo(self.site.timezone)):%Y/%m}"

    def month_in(self, url: str) -> str | None:
        """Return the month in the URL of an article's page, None if it is no such URL."""
        path = url.removeprefix(self.feeds.url) if url.startswith(self.feeds.url) else ""
        folder = path.rpartition("/")[0]
        return folder.removeprefix(f"{ARTICLES}/") if _MONTH.fullmatch(folder) else None

    def article_path(self, article: Article) -> str | None:
        """Return the path of an article's own page, None if it has none here."""
        if not self.has_article_pages or (article.link or "").startswith(self.site.url):
            return None
        month = article.page_month or self.month_of(article.published)
        return f"{ARTICLES}/{month}/{page_name(article.code)}.html"

    @cached_property
    def frame(self) -> Frame:
        """What all pages have in common."""
        return Frame(
            title=self.site.title,
            site_url=self.site.url,
            url=self.feeds.url,
            language=self.site.language,
            icon=self.site.icon,
            has_index=self.feeds.page,
            has_search=self.feeds.search,
            has_pages=self.has_pages,
            templates=tuple(sorted(self.templates.items())),
        )

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
