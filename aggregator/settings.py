"""The shape of config.yaml as typed values (design §9).

Every key of the contract stands here once, with its default.  Keys of features that are
still to come are checked like the others; `Settings.pending` names those in use.
"""

from __future__ import annotations

import datetime
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

DEFAULT_NAV_LINE = r"^\[返回.*\]\(.*\)\s*$"
DEFAULT_SHARE_URL = "{origin}/html_News/NewsShare.html?infoCode={code}"
DEFAULT_TEXT_URL = "{origin}/NewsData/GetNewsText.do?id={code}"
# The sections whose order in config.yaml ranks copies that are as good as each other.
ORIGIN_SECTIONS = ("posts", "shares", "lists", "subscriptions")
DEFAULT_SHARE = r"/html_News/NewsShare\.html\?infoCode=(?P<code>NW\d{18})"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)i?B", re.IGNORECASE)
_BYTES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*,\d{4}(-\d\d){0,2}")


def _duration(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("write a duration like 30s, 5m or 48h")
        try:
            return datetime.timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
        except OverflowError as error:
            raise ValueError("is longer than all of history") from error
    return value


def _size(value: object) -> object:
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            raise ValueError("write a size like 500kB or 5MB")
        try:
            return int(float(match[1]) * _BYTES[match[2].upper()])
        except OverflowError as error:
            raise ValueError("is larger than any disk") from error
    return value


def _positive(value: datetime.timedelta) -> datetime.timedelta:
    if value <= datetime.timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


def _coded_pattern(value: str) -> str:
    if "code" not in re.compile(_pattern(value)).groupindex:
        raise ValueError("needs a group named code: (?P<code>…)")
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("no such time zone; write a name like Asia/Shanghai") from error
    return value


def _path(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("must be a path")
    return value


def _web_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a full address that starts with http:// or https://")
    return value


def _folder_url(value: str) -> str:
    value = _web_url(value)
    return value if value.endswith("/") else value + "/"


def _tag(value: str) -> str:
    if not _TAG.fullmatch(value):
        raise ValueError("must be a domain and a year that it was yours, like example.org,2021")
    return value


def _jmespath(expression: str | None, key: str) -> None:
    """Refuse an expression that would fail at every poll."""
    if expression is None:
        return
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{key} is not a JMESPath expression: {reason}") from error


def _share_template(value: str) -> str:
    """A template of an address; groups of the share pattern may stand in it, too."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
    except ValueError as error:
        raise ValueError(f"not a template of an address: {error}") from error
    if any(not name.isidentifier() for name in names):
        raise ValueError("may use {url}, {origin} and the groups of match: only")
    return value


def _share_of_code(value: str) -> str:
    if set(re.findall(r"\{([^}]*)\}", _share_template(value))) - {"origin", "code"}:
        raise ValueError("may use {origin} and {code} only")
    return value


def _header_text(value: str) -> str:
    if not value.isascii() or not value.isprintable() or not value.strip():
        raise ValueError("must be printable ASCII text")
    return value


def _network(value: object) -> object:
    return ip_network(value) if isinstance(value, str) else value


def _permalink(value: str) -> str:
    try:
        value.format(
            url="https://example.org/",
            source="slug",
            date=datetime.datetime(2021, 12, 16),
            stem="2021-12-16-name",
            slug="name",
            code="NW1",
        )
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise ValueError(
            "may use {url} {source} {date:%Y/%m/%d} {stem} {slug} {code} only"
        ) from error
    return value


Duration = Annotated[datetime.timedelta, BeforeValidator(_duration)]
Interval = Annotated[datetime.timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
ByteSize = Annotated[int, BeforeValidator(_size), Field(gt=0)]
Pattern = Annotated[str, AfterValidator(_pattern)]
CodedPattern = Annotated[str, AfterValidator(_coded_pattern)]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
PathText = Annotated[str, AfterValidator(_path)]
WebUrl = Annotated[str, AfterValidator(_web_url)]


class _Section(BaseModel):
    # Built with the whole, not each on its own: that takes half the time.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Site(_Section):
    """Who publishes, and what every feed says of itself."""

    title: str = Field(min_length=1)
    url: Annotated[str, AfterValidator(_folder_url)]
    language: str = "zh-CN"
    timezone: Annotated[str, AfterValidator(_timezone)] = "Asia/Shanghai"
    author: str | None = None
    subtitle: str | None = None
    icon: WebUrl | None = None
    logo: WebUrl | None = None
    tag: Annotated[str, AfterValidator(_tag)]
    permalink: Annotated[str, AfterValidator(_permalink)] | None = None


class Posts(_Section):
    """One folder of posts."""

    path: PathText
    glob: PathText = "*.md"
    when_removed: Literal["keep", "drop"] = "keep"
    drop_lines: tuple[Pattern, ...] = (DEFAULT_NAV_LINE,)
    max_bytes: ByteSize = 5_000_000


class IdentityRules(_Section):
    """Where codes are found (design §4)."""

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

    url: Annotated[str, AfterValidator(_share_template)] = DEFAULT_TEXT_URL
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
                _jmespath(getattr(self, name), name)
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
    share: Annotated[str, AfterValidator(_share_of_code)] = DEFAULT_SHARE_URL
    source: str | None = None
    robots: bool = True

    @model_validator(mode="after")
    def _complete(self) -> ListEndpoint:
        if self.shape is None and self.items is None:
            raise ValueError("needs items:, or shape: nodeList, records or record")
        if self.format == "json":
            for name, expression in (*self.fields.items(), ("items", self.items)):
                _jmespath(expression, name)
            _jmespath(self.next, "next")
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


class Feeds(_Section):
    """What is published, and where."""

    directory: PathText = "feeds"
    url: Annotated[str, AfterValidator(_folder_url)]
    entries: int = Field(default=50, ge=1, le=10_000)
    combined_entries: int = Field(default=100, ge=1, le=10_000)
    formats: tuple[Literal["atom", "rss", "json"], ...] = Field(default=("atom",), min_length=1)


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

    user_agent: Annotated[str, AfterValidator(_header_text)] | None = None
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
    order: tuple[str, ...] = Field(default=ORIGIN_SECTIONS, exclude=True)

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

    def pending(self) -> list[str]:
        """The keys in use whose feature this version does not have yet."""
        found = [
            f"feeds.formats: {name} (only atom is written)"
            for name in self.feeds.formats
            if name != "atom"
        ]
        return found
