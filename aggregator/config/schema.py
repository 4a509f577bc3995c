"""The shape of config.yaml as typed values.

Every key is defined here once, with its default.
"""

from __future__ import annotations

import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from aggregator import __version__
from aggregator.config.content import Content
from aggregator.config.origins import (
    Endpoint,
    FeedList,
    IdentityRules,
    ListEndpoint,
    Posts,
    Shares,
    Subscription,
)
from aggregator.config.paths import DEFAULT_STORE, is_database, is_object_storage, store_file
from aggregator.config.rules import ContentRule
from aggregator.config.values import (
    ByteSize,
    Duration,
    FeedName,
    FeedsPlace,
    FilterText,
    FolderUrl,
    FormatName,
    HeaderText,
    Interval,
    Language,
    Networks,
    PathText,
    Permalink,
    Section,
    Tag,
    TimeZone,
    Title,
    WebUrl,
)
from aggregator.model.errors import QueryError
from aggregator.model.formats import feeds_of
from aggregator.model.kinds import ORIGIN_KINDS, SHARES
from aggregator.model.search_words import split

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


class Site(Section):
    """The publisher, and the head of every feed."""

    title: Title
    url: FolderUrl
    language: Language = "zh-CN"
    timezone: TimeZone = "Asia/Shanghai"
    author: str | None = None
    subtitle: str | None = None
    icon: WebUrl | None = None
    logo: WebUrl | None = None
    rights: Title | None = None
    license: WebUrl | None = None
    tag: Tag
    permalink: Permalink | None = None
    templates: PathText | None = None


class Source(Section):
    """A source's name and site, where its posts do not say them."""

    name: str | None = None
    url: WebUrl | None = None


class LeftOut(Section):
    """What a feed by a filter does not show: articles that match one value of any of these."""

    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    words: tuple[FilterText, ...] = ()


class ExtraFeed(Section):
    """A feed by a filter: an article must match one value of every criterion that is given.

    `search` is a query, as for `aggregator search`.  One that is an `excerpt` shows summaries
    instead of texts, and may be of all articles.
    """

    title: str | None = None
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    words: tuple[FilterText, ...] = ()
    title_words: tuple[FilterText, ...] = ()
    stocks: tuple[FilterText, ...] = ()
    search: str | None = None
    not_: LeftOut = Field(default=LeftOut(), alias="not")
    excerpt: bool = False

    @field_validator("search")
    @classmethod
    def _has_words(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                split(text)
            except QueryError as error:
                raise ValueError(str(error)) from error
        return text

    @property
    def has_criteria(self) -> bool:
        """Whether it is a feed of some articles, not of all."""
        found = (self.sources, self.tags, self.words, self.title_words, self.stocks, self.search)
        return any(found) or self.not_ != LeftOut()

    @model_validator(mode="after")
    def _selects(self) -> ExtraFeed:
        if not (self.has_criteria or self.excerpt):
            raise ValueError(
                "needs sources, tags, words, title_words, stocks, search, not, or excerpt: true"
            )
        return self


class Feeds(Section):
    """What is published, and where."""

    directory: FeedsPlace = "feeds"
    url: FolderUrl
    entries: int = Field(default=50, ge=1, le=10_000)
    combined_entries: int = Field(default=100, ge=1, le=10_000)
    max_bytes: ByteSize = 2_000_000
    formats: tuple[FormatName, ...] = Field(default=("atom",), min_length=1)
    page: bool = True
    search: bool = False
    archives: bool = True
    tags: bool = False
    similar: Literal["show", "link", "collapse"] = "link"
    extra: dict[FeedName, ExtraFeed] = Field(default={})
    hubs: tuple[WebUrl, ...] = ()
    compress: tuple[Literal["gzip", "br"], ...] = ()

    @field_validator("formats", "hubs", "compress")
    @classmethod
    def _once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(values))

    @field_validator("formats")
    @classmethod
    def _can_be_subscribed_to(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if not feeds_of(dict.fromkeys(values, "")):
            raise ValueError("needs atom, rss or json besides: no reader subscribes to a page")
        return values

    @field_validator("compress")
    @classmethod
    def _one_coding(cls, values: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "br" in values and is_object_storage(info.data.get("directory", "")):
            raise ValueError("in object storage, which cannot choose, use [gzip]: all accept it")
        return values


class Schedule(Section):
    """How often each kind of origin is polled."""

    posts: Interval = datetime.timedelta(seconds=30)
    shares: Interval = datetime.timedelta(minutes=5)
    lists: Interval = datetime.timedelta(minutes=5)
    subscriptions: Interval = datetime.timedelta(minutes=30)


class PerHost(Section):
    """Limits for one host: requests at a time, and the time between the starts of two."""

    concurrency: int = Field(default=2, ge=1, le=64)
    delay: Duration = datetime.timedelta(seconds=1)


class Fetch(Section):
    """Limits of all requests.

    `timeout` is for a whole exchange: DNS, connection, headers, body and all redirects;
    `max_bytes` for a body, both as it is sent and decoded.  `allow_private_addresses` is
    true, false, or the private networks to which requests are allowed.
    """

    user_agent: HeaderText | None = None
    contact: WebUrl | None = None
    timeout: Interval = datetime.timedelta(seconds=30)
    max_bytes: ByteSize = 5_000_000
    concurrency: int = Field(default=32, ge=1, le=256)
    per_host: PerHost = PerHost()
    allow_private_addresses: Networks = False
    allow_downgrade: bool = False

    @property
    def private_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that are not public, and to which requests are allowed all the same."""
        if isinstance(self.allow_private_addresses, tuple):
            return self.allow_private_addresses
        return EVERYWHERE if self.allow_private_addresses else ()


class Settings(Section):
    """The whole of config.yaml.

    `base` is the folder that relative paths start from, `order` that of the sections of
    origins in the file, `feed_lists` the lists at URLs that subscriptions come from, and
    `left_out` says which URLs in files could not be subscribed to.  `templates` are the owner's
    own templates of pages, by name.
    """

    site: Site
    store: PathText = DEFAULT_STORE
    posts: tuple[Posts, ...] = (Posts(path="posts"),)
    identity: IdentityRules = IdentityRules()
    shares: tuple[Shares, ...] = (Shares(),)
    lists: tuple[ListEndpoint, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    sources: dict[str, Source] = Field(default={})
    rules: tuple[ContentRule, ...] = ()
    content: Content = Content()
    feeds: Feeds
    schedule: Schedule = Schedule()
    fetch: Fetch = Fetch()
    base: Path = Field(default=Path(), exclude=True)
    order: tuple[str, ...] = Field(default=ORIGIN_KINDS, exclude=True)
    feed_lists: tuple[FeedList, ...] = Field(default=(), exclude=True, alias="subscriptions.opml")
    left_out: tuple[str, ...] = Field(default=(), exclude=True, alias="subscriptions.left out")
    templates: dict[str, str] = Field(default={}, exclude=True, alias="site.templates files")

    @property
    def origin_names(self) -> list[str]:
        """The names of all origins in the order of the file; all share pages are one."""
        names: list[str] = []
        for kind in self.order:
            sections = self.sections(kind)
            names += [section.name for section in sections if not isinstance(section, Shares)]
            names += [SHARES] if kind == SHARES else []
        return names

    def shortest_interval(self, kind: str) -> datetime.timedelta:
        """Return the shortest interval of a kind's origins, at which the daemon polls them."""
        every: datetime.timedelta = getattr(self.schedule, kind)
        own = [section.every for section in self.sections(kind) if isinstance(section, Endpoint)]
        return min([every, *(one for one in own if one is not None)])

    def sections(self, kind: str) -> tuple[Posts | Shares | Endpoint, ...]:
        """Return the sections of a kind of origins, with the lists that name some of them."""
        found: tuple[Posts | Shares | Endpoint, ...] = getattr(self, kind)
        return (*found, *self.feed_lists) if kind == Subscription.kind else found

    @property
    def user_agent(self) -> str:
        """The User-Agent of all requests, with an address to complain to (RFC 9110 §10.1.5)."""
        contact = self.fetch.contact or self.site.url
        return self.fetch.user_agent or f"aggregator/{__version__} (+{contact})"

    @property
    def author(self) -> str:
        """The author of the combined feed."""
        return self.site.author or self.site.title

    @property
    def store_address(self) -> Path | str:
        """Where the store is: an SQLite file, or the URL of a PostgreSQL database."""
        return self.store if is_database(self.store) else self.store_path

    @property
    def store_path(self) -> Path:
        """The SQLite file of the store, and beside which this machine keeps its own files."""
        return store_file(self.base, self.store)

    @property
    def feeds_address(self) -> Path | str:
        """Where feeds are published: a folder, or the URL of a place in object storage."""
        directory = self.feeds.directory
        return directory if is_object_storage(directory) else self.base / directory
