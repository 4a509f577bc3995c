"""The sections of config.yaml that name origins: posts, shares, lists, subscriptions."""

from __future__ import annotations

import datetime
import importlib.util
from typing import Any, ClassVar, Literal

from pydantic import Field, field_serializer, model_validator

from aggregator.config.globs import Layout
from aggregator.config.values import (
    ByteSize,
    CodedPattern,
    Duration,
    HeaderName,
    HeaderText,
    Interval,
    PathText,
    Pattern,
    ProxyUrl,
    Section,
    ShareOfCode,
    ShareTemplate,
    SourceKey,
    WebUrl,
    check_jmespath,
)
from aggregator.model.errors import masked
from aggregator.model.polls import Client

DEFAULT_NAV_LINE = r"^\[返回.*\]\(.*\)\s*$"
DEFAULT_SHARE_URL = "{origin}/html_News/NewsShare.html?infoCode={code}"
DEFAULT_TEXT_URL = "{origin}/NewsData/GetNewsText.do?id={code}"
DEFAULT_SHARE = r"/html_News/NewsShare\.html\?infoCode=(?P<code>NW\d{18})"


_GLOBS = {"jekyll": "**/*", "hugo": "**/*.md", "plain": "*.md"}


class Posts(Section):
    """One folder of posts.

    `layout` says which files are posts, and where their dates and categories are; `source`
    is that of all posts, in place of their first category.
    """

    path: PathText
    layout: Layout = "jekyll"
    glob: PathText = _GLOBS["jekyll"]
    source: SourceKey | None = None
    when_removed: Literal["keep", "drop"] = "keep"
    drop_lines: tuple[Pattern, ...] = (DEFAULT_NAV_LINE,)
    max_bytes: ByteSize = 5_000_000

    @model_validator(mode="before")
    @classmethod
    def _with_glob(cls, values: Any) -> Any:
        """Add the glob that the layout implies."""
        if isinstance(values, dict) and "glob" not in values:
            glob = _GLOBS.get(str(values.get("layout")), _GLOBS["jekyll"])
            return {**values, "glob": glob}
        return values

    @property
    def name(self) -> str:
        """The origin's name in the store and in messages."""
        return f"posts:{self.path}/{self.glob}"

    @property
    def former_name(self) -> str:
        """The name that the origin had while the glob was `*.md` by default."""
        return f"posts:{self.path}/*.md"


class IdentityRules(Section):
    """Where to find the code of a post."""

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


class ShareText(Section):
    """Where the text behind a share page is, and how to find it in the response.

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


class Refresh(Section):
    """For how long after publication an article is fetched again, and how often."""

    for_: Duration = Field(default=datetime.timedelta(hours=48), alias="for")
    every: Interval = datetime.timedelta(minutes=30)


class ClientKeys(Section):
    """The User-Agent, headers and proxy of one origin's requests."""

    user_agent: HeaderText | None = None
    headers: dict[HeaderName, HeaderText] = Field(default={})
    proxy: ProxyUrl | None = None

    def client(self, url: str) -> Client:
        """Return these keys as requests have them; the headers are for the host of `url`."""
        return Client(self.user_agent, tuple(self.headers.items()), self.proxy, url)

    @field_serializer("headers")
    def _masked_headers(self, headers: dict[str, str]) -> dict[str, str]:
        return dict.fromkeys(headers, "…")

    @field_serializer("proxy")
    def _masked_proxy(self, proxy: str | None) -> str | None:
        return proxy and masked(proxy)


# What changes how a URL is requested, and not how a response is read.
REQUEST_KEYS = {*ClientKeys.model_fields, "every"}


class Shares(ClientKeys):
    """A kind of share page, and how to get the text behind one.

    With `text: null`, or `text` in HTML without a selector, the main text is extracted from
    the page.
    """

    match: CodedPattern = DEFAULT_SHARE
    text: ShareText | None = ShareText()
    urls: tuple[str, ...] = ()
    refresh: Refresh = Refresh()
    robots: bool = True

    @model_validator(mode="after")
    def _headers_have_a_host(self) -> Shares:
        if self.headers and not self.match.startswith(("^http://", "^https://", "^https?://")):
            raise ValueError(
                "headers: would go to any host with such a page; let match: begin with "
                "^https:// and the host"
            )
        return self

    @model_validator(mode="after")
    def _can_extract(self) -> Shares:
        extracts = self.text is None or (self.text.format == "html" and self.text.html is None)
        if extracts and importlib.util.find_spec("trafilatura") is None:
            raise ValueError(
                "extracting the main text of a page needs trafilatura: run "
                "pip install 'jekyll-feed-aggregator[pages]', or sh bootstrap.sh pages"
            )
        return self


class Endpoint(ClientKeys):
    """One URL that is polled; `source` is that of all its entries, if they have but one."""

    kind: ClassVar[str]
    url: WebUrl
    source: str | None = None
    robots: bool = True
    every: Interval | None = None

    @property
    def name(self) -> str:
        """The origin's name in the store and in messages."""
        return f"{self.kind}:{self.url}"


ListField = Literal["code", "title", "url", "published", "source", "digest"]


class ListEndpoint(Endpoint):
    """An endpoint that names new articles.

    `shape` is a preset of `items` and `fields`; keys that are given override it.
    """

    kind = "lists"
    format: Literal["json", "html"] = "json"
    shape: Literal["nodeList", "records", "record"] | None = None
    items: str | None = None
    fields: dict[ListField, str] = Field(default={})
    next: str | None = None
    share: ShareOfCode = DEFAULT_SHARE_URL

    @model_validator(mode="after")
    def _complete(self) -> ListEndpoint:
        if self.shape is None and self.items is None:
            raise ValueError("needs items:, or shape: nodeList, records or record")
        if self.format == "json":
            for name, expression in (*self.fields.items(), ("items", self.items)):
                check_jmespath(expression, name)
            check_jmespath(self.next, "next")
        return self


class Subscription(Endpoint):
    """An upstream feed: RSS, Atom or JSON Feed.  Feeds are there for programs to read."""

    kind = "subscriptions"
    robots: bool = False


class FeedList(Endpoint):
    """A list of feeds in OPML at a URL; its `source` and `every` are those of its feeds."""

    kind = "subscriptions"
    robots: bool = False
