"""An endpoint that names new articles as an origin: excerpts, and share pages to read."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from aggregator.articles import identity, sanitize
from aggregator.articles.sources import SourceKeys, normal_name
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Copy, Problem
from aggregator.model.digests import digest_of
from aggregator.model.errors import UnusableError, unforeseen
from aggregator.model.polls import Response
from aggregator.origins.copies import as_html, make_copy, unread_dates
from aggregator.origins.interface import Reading
from aggregator.origins.parsers import json_body
from aggregator.origins.parsers.page import ListLink
from aggregator.origins.share_pages import fill

# One more whenever the same response is read otherwise than before.
READER_VERSION = 2
MAX_ITEMS = 2000
FIELDS = ("code", "title", "url", "published", "source", "digest")
# The three shapes of the upstream: where items are, and their fields.
SHAPES: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "nodeList": (
            "nodeList",
            {
                "code": "infocode",
                "title": "title || simtitle",
                "published": "showtime",
                "source": '"from"',
                "digest": "simdigest",
            },
        ),
        "records": (
            "records",
            {
                "code": "infoCode || id",
                "title": "title",
                "url": "url_w",
                "published": "showtime",
                "digest": "digest",
            },
        ),
        "record": (
            "record",
            {
                "code": "infoCode",
                "title": "title",
                "published": "datetime",
                "source": "medianame",
            },
        ),
    }
)

ExtractLinks = Callable[[bytes, str, str, str, dict[str, str]], tuple[ListLink, ...]]


@dataclass(frozen=True, slots=True)
class ListRule:
    """An endpoint.  `share` is the template of a share page's address from a code."""

    url: str
    format: str
    items: str
    fields: Mapping[str, str]
    next: str | None
    share: str
    source: str | None
    every: datetime.timedelta
    heed_robots: bool


class ListEndpoint:
    """One endpoint (an `interface.UpstreamOrigin`)."""

    def __init__(
        self,
        rule: ListRule,
        codes: identity.Rules,
        timezone: str,
        is_share_page: Callable[[str], bool],
        extract: ExtractLinks,
    ) -> None:
        self._rule = rule
        self._codes = codes
        self._zone = ZoneInfo(timezone)
        self._is_share_page = is_share_page
        self._extract = extract

    @property
    def name(self) -> str:
        """What the origin is called in the store and in messages."""
        return f"lists:{self._rule.url}"

    @property
    def rules(self) -> bytes:
        """The digest of all that reading an answer depends on."""
        rule = dataclasses.astuple(dataclasses.replace(self._rule, every=datetime.timedelta(1)))
        return digest_of((READER_VERSION, rule, self._codes, self._zone.key))

    @property
    def accept(self) -> str:
        """JSON or HTML, as configured."""
        kind = "application/json" if self._rule.format == "json" else "text/html"
        return f"{kind}, */*;q=0.5"

    def named_urls(self) -> list[str]:
        """The endpoint."""
        return [self._rule.url]

    @property
    def window(self) -> None:
        """Nothing is read again for the age of an article."""

    def accepts(self, url: str) -> bool:
        """Whether a URL is the one that it reads."""
        return url in self.named_urls()

    def is_recent(self, url: str, published: datetime.datetime, now: datetime.datetime) -> bool:
        """Never: see `window`."""
        return False

    def pace(self, url: str) -> Pace:
        """As scheduled, or as long as the answer stays fresh."""
        return Pace(self._rule.every)

    def address(self, url: str) -> str | None:
        """The URL itself."""
        return url

    def heeds_robots(self, url: str) -> bool:
        """As configured."""
        return self._rule.heed_robots

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """The items of a page of the list; see `interface.UpstreamOrigin.read`."""
        items: Sequence[object]
        following = next_url = None
        if self._rule.format == "json":
            items, following = self._json(response)
        else:
            items = self._page(response)
        copies: dict[str, Copy] = {}
        problems: list[Problem] = []
        try:
            next_url = _joined(response.url, following) if following else None
        except UnusableError as error:
            problems.append(Problem(self._rule.url, f"its next page: {error.reason}"))
        pages: list[str] = []
        dates: list[str] = []
        for number, item in enumerate(items[:MAX_ITEMS], 1):
            try:
                values = self._values(item)
                copy = self._copy(values, sources, response.url, now)
            except UnusableError as error:
                problems.append(Problem(self._rule.url, f"item {number}: {error.reason}"))
                continue
            except Exception as error:  # noqa: BLE001  # one item stops no other
                reason = f"item {number}: cannot be read ({unforeseen(error)})"
                problems.append(Problem(self._rule.url, reason))
                continue
            dates.append(values["published"])
            if copies.setdefault(copy.location, copy) is copy and copy.share_url is not None:
                pages.append(copy.share_url)
        if len(items) > MAX_ITEMS:
            note = f"only the first {MAX_ITEMS:,} of {len(items):,} items were read"
            problems.append(Problem(self._rule.url, note))
        unread = unread_dates(dates, self._zone)
        if unread is not None:
            problems.append(Problem(self._rule.url, unread))
        return Reading(tuple(copies.values()), tuple(problems), tuple(pages), next_url)

    def _copy(
        self, values: dict[str, str], sources: SourceKeys, base: str, now: datetime.datetime
    ) -> Copy:
        """Return one item as a copy.  Raises `UnusableError` if it names no article."""
        url = _joined(base, values["url"]) if values["url"] else ""
        if url and not url.startswith(("http://", "https://")):
            raise UnusableError(f"its address is no web address: {url[:80]!r}")
        code = identity.normal_code(values["code"]) if values["code"] else None
        if values["code"] and code is None and not url:
            raise UnusableError(f"its code is none (NW and 18 digits): {values['code'][:40]!r}")
        code = (
            code
            or identity.code_of_share_url(url, self._codes)
            or identity.code_of_article_url(url, self._codes)
        )
        if code is None and not url:
            raise UnusableError("it has neither a code nor an address")
        share_url = url if url and self._is_share_page(url) else None
        if share_url is None and identity.is_code(code or ""):
            share_url = fill(self._rule.share, base, {"code": code})
        name = normal_name(values["source"])
        title = sanitize.plain_text(values["title"], json_body.MAX_TITLE)
        if not title:
            raise UnusableError("it has no title")
        return make_copy(
            self.name,
            code or url,
            code or identity.url_fallback(url),
            as_html(sanitize.plain_text(values["digest"])),
            self._zone,
            now,
            title=title,
            source=self._rule.source or (sources.key_of(name) if name else ""),
            source_name=name,
            date=values["published"],
            is_full=False,
            link=url if url and url != share_url else None,
            share_url=share_url if share_url is None or self._is_share_page(share_url) else None,
            base=base,
        )

    def _values(self, item: object) -> dict[str, str]:
        if not isinstance(item, ListLink):
            fields = self._rule.fields
            return {name: json_body.line(fields.get(name), item, name, 10_000) for name in FIELDS}
        return {
            "code": "",
            "title": item.title,
            "url": item.url,
            "published": item.date or "",
            "source": item.source or "",
            "digest": item.digest or "",
        }

    def _json(self, response: Response) -> tuple[list[object], str | None]:
        document = json_body.load(response.body or b"", response.headers.get("content-type", ""))
        items = json_body.search(self._rule.items, document)
        if not isinstance(items, list):
            kind = "nothing" if items is None else "no list"
            raise UnusableError(f"{self._rule.items} finds {kind} in the answer")
        following = json_body.line(self._rule.next, document, "next page", 4000)
        return items, following or None

    def _page(self, response: Response) -> Sequence[ListLink]:
        content_type = response.headers.get("content-type", "")
        fields = {
            "date" if name == "published" else name: selector
            for name, selector in self._rule.fields.items()
        }
        return self._extract(
            response.body or b"", content_type, response.url, self._rule.items, fields
        )


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError as error:
        raise UnusableError(f"its address is no web address: {address[:80]!r}") from error
