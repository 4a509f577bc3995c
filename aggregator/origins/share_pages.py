"""Share pages as an origin: the current text behind each."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from aggregator.articles import identity, sanitize
from aggregator.articles.sources import SourceKeys, normal_name
from aggregator.config.origins import REQUEST_KEYS, Shares, ShareText
from aggregator.config.schema import Settings
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Problem
from aggregator.model.digests import digest_of
from aggregator.model.errors import OriginError, UnusableError
from aggregator.model.kinds import SHARES
from aggregator.model.polls import Client, Response
from aggregator.origins.copies import as_html, first_words, make_copy, unreadable_dates
from aggregator.origins.interface import Reading
from aggregator.origins.parsers import json_body
from aggregator.origins.parsers.page import PageSelectors
from aggregator.origins.parsers.readers import Readers

# Increase whenever the same response would be read differently: all pages are then read again.
READER_VERSION = 2
MAX_URL_FILE = 10_000_000
# Copied texts end with a credit: （文章来源：北京商报）
_CREDIT = re.compile(r"[（(]\s*文章来源[:：]\s*([^）)<]{1,40}?)\s*[）)]\s*(?:<[^>]*>\s*)*\Z")
_CODE = "infoCode || infocode || code"


class _Text(NamedTuple):
    html: str
    title: str
    date: str
    source_name: str = ""
    code: str = ""


def from_settings(settings: Settings, codes: identity.Rules, readers: Readers) -> list[SharePages]:
    """Return a single origin for all share pages."""
    return [SharePages(settings, codes, readers)]


class SharePages:
    """All share pages (an `interface.UpstreamOrigin`)."""

    name = SHARES
    # A script's endpoint or a page.
    accept = "application/json, text/html;q=0.9, */*;q=0.5"

    def __init__(self, settings: Settings, codes: identity.Rules, readers: Readers) -> None:
        self._kinds = [(re.compile(shares.match), shares) for shares in settings.shares]
        self._codes = codes
        self._zone = ZoneInfo(settings.site.timezone)
        self._base = settings.base
        self._readers = readers

    @property
    def rules(self) -> bytes:
        """Return the digest of all that reading a response depends on."""
        kinds = [
            shares.model_dump(mode="json", exclude={"urls", "robots", "refresh", *REQUEST_KEYS})
            for _, shares in self._kinds
        ]
        return digest_of((READER_VERSION, kinds, self._codes, self._zone.key))

    @property
    def is_urgent(self) -> bool:
        """Return False: what was read is in the store."""
        return False

    @property
    def window(self) -> datetime.timedelta:
        """For how long after their publication articles are read again."""
        return max((shares.refresh.for_ for _, shares in self._kinds), default=_ZERO)

    def named_urls(self) -> list[str]:
        """Return the URLs under `urls:`, including those in files.

        Raises `OriginError` if such a file cannot be read.
        """
        found: dict[str, None] = {}
        for _, shares in self._kinds:
            for url in shares.urls:
                listed = self._listed(url) if url.startswith("file:") else [url]
                found.update(dict.fromkeys(listed))
        return list(found)

    def is_recent(self, url: str, published: datetime.datetime, now: datetime.datetime) -> bool:
        """Return whether an article of that age is read again."""
        kind = self._kind(url)
        return kind is not None and published >= now - kind[1].refresh.for_

    def accepts(self, url: str) -> bool:
        """Return whether a URL is that of a share page."""
        return self._kind(url) is not None

    def pace(self, url: str) -> Pace:
        """Return how often a page is requested: as configured, or a little less if asked to."""
        kind = self._kind(url)
        every = (kind[1] if kind else self._kinds[0][1]).refresh.every
        return Pace(every, 4 * every)

    def address(self, url: str) -> str | None:
        """Return the URL of the text behind a share page."""
        kind = self._kind(url)
        if kind is None:
            return None
        match, shares = kind
        return fill(shares.text.url, url, match.groupdict()) if shares.text else url

    def obeys_robots(self, url: str) -> bool:
        """Return whether robots.txt is obeyed, as configured."""
        kind = self._kind(url)
        return kind is None or kind[1].robots

    def client(self, url: str) -> Client:
        """Return the User-Agent, headers and proxy, as configured."""
        kind = self._kind(url)
        return kind[1].client(url) if kind else Client()

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """Return the share page as a copy; see `interface.UpstreamOrigin.read`."""
        kind = self._kind(url)
        if kind is None:
            raise UnusableError("no pattern of shares: match: fits it any more")
        code = identity.code_of_share_url(url, self._codes)
        text = kind[1].text
        if text is not None and text.format == "json":
            found = self._json(text, response)
        else:
            found = self._page(text, response)
        named = identity.normal_code(found.code) if found.code else None
        if named is not None and code is not None and named != code:
            raise UnusableError(f"the response is about {named}, not {code}")
        code = code or named or identity.url_fallback(url)
        if not first_words(found.html) and "<img" not in found.html:
            raise UnusableError("an empty text")
        name = normal_name(found.source_name or self._credit(found.html))
        copy = make_copy(
            SHARES,
            url,
            code,
            as_html(found.html),
            self._zone,
            now,
            title=found.title,
            source=sources.key_of(name) if name else "",
            source_name=name,
            date=found.date,
            share_url=url,
            base=response.url,
        )
        note = unreadable_dates([found.date], self._zone)
        return Reading((copy,), (Problem(url, note),) if note is not None else ())

    def _json(self, text: ShareText, response: Response) -> _Text:
        document = json_body.load(response.body or b"", response.headers.get("content-type", ""))
        html = json_body.text(text.html or "content || text", document, "text")
        if not html:
            raise UnusableError("JSON without a text")
        return _Text(
            html,
            sanitize.plain_text(json_body.line(text.title, document, "title")),
            json_body.line(text.published, document, "date"),
            json_body.line(text.source, document, "source", 100),
            json_body.code(text.code or _CODE, document),
        )

    def _page(self, text: ShareText | None, response: Response) -> _Text:
        selectors = (
            PageSelectors(text.html, text.title, text.published) if text else PageSelectors()
        )
        content_type = response.headers.get("content-type", "")
        page = self._readers.page(response.body or b"", content_type, response.url, selectors)
        return _Text(page.html, page.title or "", page.date or "")

    def _credit(self, html: str) -> str:
        match = _CREDIT.search(html[-500:])
        return match[1] if match else ""

    def _kind(self, url: str) -> tuple[re.Match[str], Shares] | None:
        for pattern, shares in self._kinds:
            match = pattern.search(url)
            if match is not None:
                return match, shares
        return None

    def _listed(self, reference: str) -> list[str]:
        """Return the URLs in a file, one a line; lines that start with # are comments."""
        path = self._base / reference.removeprefix("file:").removeprefix("//")
        try:
            with path.open("rb") as file:
                data = file.read(MAX_URL_FILE + 1)
        except OSError as error:
            raise OriginError(f"{path}: cannot be read: {error.strerror} (shares: urls)") from error
        if len(data) > MAX_URL_FILE:
            raise OriginError(f"{path}: larger than {MAX_URL_FILE:,} bytes (shares: urls)")
        lines = (line.strip() for line in data.decode("utf-8-sig", "replace").splitlines())
        return [line for line in lines if line and not line.startswith("#")]


_ZERO = datetime.timedelta(0)


def fill(template: str, url: str, groups: Mapping[str, str | None]) -> str:
    """Return a URL from its template: `{url}`, `{origin}` and named groups, quoted."""
    parts = urlsplit(url)
    values = {name: quote(value or "", safe="") for name, value in groups.items()}
    known = {**values, "url": url, "origin": f"{parts.scheme}://{parts.netloc}"}
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), template)
