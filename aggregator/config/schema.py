"""The shape of config.yaml as typed values.

Every key of the contract stands here once, with its default.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from aggregator.config.values import (
    ByteSize,
    CodedPattern,
    Duration,
    FeedName,
    FilterText,
    FolderUrl,
    FormatName,
    HeaderText,
    Interval,
    Language,
    Network,
    PathText,
    Pattern,
    Permalink,
    ShareOfCode,
    ShareTemplate,
    Tag,
    TimeZone,
    Title,
    WebUrl,
    check_jmespath,
)
from aggregator.model.kinds import ORIGIN_KINDS

DEFAULT_NAV_LINE = r"^\[返回.*\]\(.*\)\s*$"
DEFAULT_SHARE_URL = "{origin}/html_News/NewsShare.html?infoCode={code}"
DEFAULT_TEXT_URL = "{origin}/NewsData/GetNewsText.do?id={code}"
DEFAULT_SHARE = r"/html_News/NewsShare\.html\?infoCode=(?P<code>NW\d{18})"


class _Section(BaseModel):
    # Built with the whole, not each on its own: that takes half the time.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Site(_Section):
    """Who publishes, and what every feed says of itself."""

    title: Title
    url: FolderUrl
    language: Language = "zh-CN"
    timezone: TimeZone = "Asia/Shanghai"
    author: str | None = None
    subtitle: str | None = None
    icon: WebUrl | None = None
    logo: WebUrl | None = None
    tag: Tag
    permalink: Permalink | None = None


class Posts(_Section):
    """One folder of posts."""

    path: PathText
    glob: PathText = "*.md"
    when_removed: Literal["keep", "drop"] = "keep"
    drop_lines: tuple[Pattern, ...] = (DEFAULT_NAV_LINE,)
    max_bytes: ByteSize = 5_000_000


class IdentityRules(_Section):
    """Where codes are found."""

    front_matter: str = "infoCode"
    parameter: str = "infoCode"
    article_urls: tuple[CodedPattern, ...] = (
        r",(?P<code>\d{18})\.html",
        r"/a/(?P<code>\d{18})\.html",
    )
    file_names: tuple[CodedPattern, ...] = (
        r"\d{4}-\d{1,2}-\d{1,2}-(?P<code>NW\d{18})",
        r"\d{4}-\d{1,2}-\d{1,2}-(?P<code>\d{18})",
    )


class ShareText(_Section):
    """Where the text behind a share page is, and how it is found in what comes.

    `url` may use `{url}`, `{origin}` (scheme and host of the share page) and the groups
    of `match`.  The others are JMESPath expressions for JSON, CSS selectors for HTML.
    """

    url: ShareTemplate = DEFAULT_TEXT_URL
    format: Literal["json", "html"] = "json"
    html: str | None = None
    title: str | None = None
    published: str | None = None
    source: str | None = None
    code: str | None = None

    @model_validator(mode="after")
    def _expressions(self) -> ShareText:
        if self.format == "json":
            for name in ("html", "title", "published", "source", "code"):
                check_jmespath(getattr(self, name), name)
        return self


class Refresh(_Section):
    """For how long after its publication an article is read again, and how often."""

    for_: Duration = Field(default=datetime.timedelta(hours=48), alias="for")
    every: Interval = datetime.timedelta(minutes=30)


class Shares(_Section):
    """A kind of share page, and how to get the text behind one.

    `text: null` reads the main text of the page itself.
    """

    match: CodedPattern = DEFAULT_SHARE
    text: ShareText | None = ShareText()
    urls: tuple[str, ...] = ()
    refresh: Refresh = Refresh()
    robots: bool = True


class ListEndpoint(_Section):
    """An endpoint that names new articles.

    `shape` is a preset of `items` and `fields`; what is given beside it goes before it.
    """

    url: WebUrl
    format: Literal["json", "html"] = "json"
    shape: Literal["nodeList", "records", "record"] | None = None
    items: str | None = None
    fields: dict[Literal["code", "title", "url", "published", "source", "digest"], str] = {}
    next: str | None = None
    share: ShareOfCode = DEFAULT_SHARE_URL
    source: str | None = None
    robots: bool = True

    @model_validator(mode="after")
    def _complete(self) -> ListEndpoint:
        if self.shape is None and self.items is None:
            raise ValueError("needs items:, or shape: nodeList, records or record")
        if self.format == "json":
            for name, expression in (*self.fields.items(), ("items", self.items)):
                check_jmespath(expression, name)
            check_jmespath(self.next, "next")
        return self


class Subscription(_Section):
    """An upstream feed: RSS, Atom or JSON Feed."""

    url: WebUrl
    source: str | None = None
    robots: bool = False


class Source(_Section):
    """What is known of a source beside what its posts say."""

    name: str | None = None
    url: WebUrl | None = None


class ExtraFeed(_Section):
    """A feed by a filter: of each kind of criterion that is given, one value must fit."""

    title: str | None = None
    sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    words: tuple[FilterText, ...] = ()
    stocks: tuple[FilterText, ...] = ()

    @model_validator(mode="after")
    def _selects(self) -> ExtraFeed:
        if not (self.sources or self.tags or self.words or self.stocks):
            raise ValueError("needs sources, tags, words or stocks")
        return self


class Feeds(_Section):
    """What is published, and where."""

    directory: PathText = "feeds"
    url: FolderUrl
    entries: int = Field(default=50, ge=1, le=10_000)
    combined_entries: int = Field(default=100, ge=1, le=10_000)
    formats: tuple[FormatName, ...] = Field(default=("atom",), min_length=1)
    page: bool = True
    archives: bool = True
    tags: bool = False
    extra: dict[FeedName, ExtraFeed] = {}
    hubs: tuple[WebUrl, ...] = ()
    compress: tuple[Literal["gzip", "br"], ...] = ()

    @field_validator("formats", "hubs", "compress")
    @classmethod
    def _once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(values))


class Schedule(_Section):
    """How often each kind of origin is asked."""

    posts: Interval = datetime.timedelta(seconds=30)
    shares: Interval = datetime.timedelta(minutes=5)
    lists: Interval = datetime.timedelta(minutes=5)
    subscriptions: Interval = datetime.timedelta(minutes=30)


class PerHost(_Section):
    """How gently one host is asked."""

    concurrency: int = Field(default=2, ge=1, le=64)
    delay: Duration = datetime.timedelta(seconds=1)


class Fetch(_Section):
    """Limits of the one outgoing connection.

    `allow_private_addresses` is true, false, or the networks that may be asked.
    """

    user_agent: HeaderText | None = None
    contact: WebUrl | None = None
    timeout: Interval = datetime.timedelta(seconds=30)
    max_bytes: ByteSize = 5_000_000
    concurrency: int = Field(default=32, ge=1, le=256)
    per_host: PerHost = PerHost()
    allow_private_addresses: bool | tuple[Network, ...] = False
    allow_downgrade: bool = False


class Settings(_Section):
    """The whole of config.yaml.  `base` is the folder that relative paths start from."""

    site: Site
    store: PathText = "var/aggregator.db"
    posts: tuple[Posts, ...] = (Posts(path="posts"),)
    identity: IdentityRules = IdentityRules()
    shares: tuple[Shares, ...] = (Shares(),)
    lists: tuple[ListEndpoint, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    sources: dict[str, Source] = {}
    feeds: Feeds
    schedule: Schedule = Schedule()
    fetch: Fetch = Fetch()
    base: Path = Field(default=Path(), exclude=True)
    order: tuple[str, ...] = Field(default=ORIGIN_KINDS, exclude=True)

    @property
    def author(self) -> str:
        """The author of the combined feed."""
        return self.site.author or self.site.title

    @property
    def store_path(self) -> Path:
        """The SQLite file of the store."""
        return self.base / self.store.removeprefix("sqlite:///")

    @property
    def feeds_directory(self) -> Path:
        """Where feeds are written."""
        return self.base / self.feeds.directory
