"""A list endpoint as an origin: excerpts, and share pages to read."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import get_args
from urllib.parse import urljoin

from aggregator.articles import identity, sanitize
from aggregator.articles.sources import SourceKeys, normal_name
from aggregator.articles.titles import MAX_TITLE
from aggregator.config.origins import ListEndpoint, ListField
from aggregator.config.schema import Settings
from aggregator.model.articles import Copy, Problem
from aggregator.model.errors import UnusableError
from aggregator.model.polls import Response
from aggregator.origins.copies import as_html, make_copy
from aggregator.origins.endpoint import EndpointOrigin
from aggregator.origins.interface import Reading
from aggregator.origins.parsers import json_body
from aggregator.origins.parsers.page import ListLink
from aggregator.origins.parsers.readers import Readers
from aggregator.origins.share_pages import fill

MAX_ITEMS = 2000
FIELDS: tuple[str, ...] = get_args(ListField)
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


def from_settings(settings: Settings, codes: identity.Rules, readers: Readers) -> list[ListOrigin]:
    """Return an origin for each list endpoint of the configuration."""
    return [ListOrigin(endpoint, settings, codes, readers) for endpoint in settings.lists]


class ListOrigin(EndpointOrigin):
    """One list endpoint."""

    version = 2

    def __init__(
        self, section: ListEndpoint, settings: Settings, codes: identity.Rules, readers: Readers
    ) -> None:
        super().__init__(section, settings, codes, readers)
        items, fields = SHAPES.get(section.shape or "", ("", {}))
        self.list = section
        self._items = section.items or items
        self._fields = dict(fields) | {str(name): value for name, value in section.fields.items()}
        kind = "application/json" if section.format == "json" else "text/html"
        self.accept = f"{kind}, */*;q=0.5"

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """Return the items of a page of the list; see `interface.UpstreamOrigin.read`."""
        items: Sequence[object]
        following = next_url = None
        if self.list.format == "json":
            items, following = self._json(response)
        else:
            items = self._page(response)
        problems: list[Problem] = []
        try:
            next_url = _joined(response.url, following) if following else None
        except UnusableError as error:
            problems.append(Problem(self.list.url, f"its next page: {error.reason}"))
        copies, bad = self.collect(
            ((f"item {number}", item) for number, item in enumerate(items[:MAX_ITEMS], 1)),
            lambda item: self._copy(item, sources, response.url, now),
        )
        problems += bad
        if len(items) > MAX_ITEMS:
            note = f"only the first {MAX_ITEMS:,} of {len(items):,} items were read"
            problems.append(Problem(self.list.url, note))
        pages = tuple(copy.share_url for copy in copies if copy.share_url is not None)
        return Reading(tuple(copies), tuple(problems), pages, next_url)

    def _copy(
        self, item: object, sources: SourceKeys, base: str, now: datetime.datetime
    ) -> tuple[Copy, str]:
        """Return one item as a copy.  Raises `UnusableError` if it names no article."""
        values = self._values(item)
        url = _web_url(base, values["url"])
        code = self._code(values["code"], url)
        share_url = self._share_url(code, url, base)
        name = normal_name(values["source"])
        title = sanitize.plain_text(values["title"], MAX_TITLE)
        if not title:
            raise UnusableError("it has no title")
        copy = make_copy(
            self.name,
            code or url,
            code or identity.url_fallback(url),
            as_html(sanitize.plain_text(values["digest"])),
            self.zone,
            now,
            title=title,
            source=self.list.source or (sources.key_of(name) if name else ""),
            source_name=name,
            date=values["published"],
            is_full=False,
            link=url if url and url != share_url else None,
            share_url=share_url,
            base=base,
        )
        return copy, values["published"]

    def _code(self, named: str, url: str) -> str | None:
        code = identity.normal_code(named) if named else None
        if named and code is None and not url:
            raise UnusableError(f"its code is not NW and 18 digits: {named[:40]!r}")
        code = (
            code
            or identity.code_of_share_url(url, self.codes)
            or identity.code_of_article_url(url, self.codes)
        )
        if code is None and not url:
            raise UnusableError("it has neither a code nor an address")
        return code

    def _share_url(self, code: str | None, url: str, base: str) -> str | None:
        """Return the URL itself if it is a share page, else that of the code's share page."""
        if url and identity.is_share_url(url, self.codes):
            return url
        if code is None or not identity.is_code(code):
            return None
        filled = fill(self.list.share, base, {"code": code})
        return filled if identity.is_share_url(filled, self.codes) else None

    def _values(self, item: object) -> dict[str, str]:
        if not isinstance(item, ListLink):
            fields = self._fields
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
        items = json_body.search(self._items, document)
        if not isinstance(items, list):
            kind = "nothing" if items is None else "no list"
            raise UnusableError(f"{self._items} finds {kind} in the response")
        following = json_body.line(self.list.next, document, "next page", 4000)
        return items, following or None

    def _page(self, response: Response) -> Sequence[ListLink]:
        content_type = response.headers.get("content-type", "")
        fields = {
            "date" if name == "published" else name: selector
            for name, selector in self._fields.items()
        }
        return self.readers.links(
            response.body or b"", content_type, response.url, self._items, fields
        )


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError as error:
        raise UnusableError(f"its address is not a web address: {address[:80]!r}") from error


def _web_url(base: str, address: str) -> str:
    """Return the absolute URL of an item, empty if it has none."""
    url = _joined(base, address) if address else ""
    if url and not url.startswith(("http://", "https://")):
        raise UnusableError(f"its address is not a web address: {url[:80]!r}")
    return url
