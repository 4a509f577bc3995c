"""Share pages as an origin: the text behind each, as it reads now."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from aggregator.articles import identity, sanitize
from aggregator.articles.sources import SourceKeys, normal_name
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Problem
from aggregator.model.digests import digest_of
from aggregator.model.errors import OriginError, UnusableError
from aggregator.model.polls import Response
from aggregator.origins.copies import as_html, first_words, make_copy, unread_dates
from aggregator.origins.interface import Reading
from aggregator.origins.parsers import json_body
from aggregator.origins.parsers.page import PageSelectors, PageText

NAME = "shares"
# One more whenever the same response is read otherwise than before.
READER_VERSION = 2
MAX_URL_FILE = 10_000_000
# Texts that were copied end by naming where from: （文章来源：北京商报）
_CREDIT = re.compile(r"[（(]\s*文章来源[:：]\s*([^）)<]{1,40}?)\s*[）)]\s*(?:<[^>]*>\s*)*\Z")
_CODE = "infoCode || infocode || code"

ExtractPage = Callable[[bytes, str, str, PageSelectors], PageText]


@dataclass(frozen=True, slots=True)
class ShareRule:
    """A kind of share page and how its text is got.

    `address` is the template of what to ask, None for the page itself; the expressions
    are JMESPath for "json", CSS selectors for "html", None for what is not looked for.
    """

    match: re.Pattern[str]
    address: str | None
    format: str
    html: str | None
    title: str | None
    published: str | None
    source: str | None
    code: str | None
    urls: tuple[str, ...]
    refresh_for: datetime.timedelta
    refresh_every: datetime.timedelta
    heed_robots: bool


class _Text(NamedTuple):
    html: str
    title: str
    date: str
    source_name: str = ""
    code: str = ""


class SharePages:
    """All share pages (an `interface.UpstreamOrigin`)."""

    def __init__(
        self,
        rules: Sequence[ShareRule],
        codes: identity.Rules,
        timezone: str,
        base: Path,
        extract: ExtractPage,
    ) -> None:
        self._rules = tuple(rules)
        self._codes = codes
        self._zone = ZoneInfo(timezone)
        self._base = base
        self._extract = extract

    @property
    def name(self) -> str:
        """What the origin is called in the store and in messages."""
        return NAME

    @property
    def rules(self) -> bytes:
        """The digest of all that reading an answer depends on."""
        reading = [
            dataclasses.replace(rule, urls=(), heed_robots=True, refresh_for=_ZERO) for rule in
            self._rules
        ]  # fmt: skip
        return digest_of((READER_VERSION, reading, self._codes, self._zone.key))

    @property
    def accept(self) -> str:
        """Whatever there is: a script's endpoint or a page."""
        return "application/json, text/html;q=0.9, */*;q=0.5"

    @property
    def window(self) -> datetime.timedelta:
        """For how long after their publication articles are read again."""
        return max((rule.refresh_for for rule in self._rules), default=_ZERO)

    def named_urls(self) -> list[str]:
        """The URLs under `urls:`, those of `file:` lists too.

        Raises `OriginError` for a list that cannot be read.
        """
        found: dict[str, None] = {}
        for rule in self._rules:
            for url in rule.urls:
                listed = self._listed(url) if url.startswith("file:") else [url]
                found.update(dict.fromkeys(listed))
        return list(found)

    def is_recent(self, url: str, published: datetime.datetime, now: datetime.datetime) -> bool:
        """Whether an article of that age is read again."""
        rule = self._rule(url)
        return rule is not None and published >= now - rule[0].refresh_for

    def accepts(self, url: str) -> bool:
        """Whether a URL is that of a share page."""
        return self._rule(url) is not None

    def pace(self, url: str) -> Pace:
        """As often as the rule's `refresh: every` says, or a little less if its server does."""
        rule = self._rule(url)
        every = rule[0].refresh_every if rule else self._rules[0].refresh_every
        return Pace(every, 4 * every)

    def address(self, url: str) -> str | None:
        """The address of the text behind a share page."""
        rule = self._rule(url)
        if rule is None:
            return None
        kind, match = rule
        if kind.address is None:
            return url
        return fill(kind.address, url, match.groupdict())

    def heeds_robots(self, url: str) -> bool:
        """As the rule says."""
        rule = self._rule(url)
        return rule is None or rule[0].heed_robots

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """The one copy that a share page is; see `interface.UpstreamOrigin.read`."""
        rule = self._rule(url)
        if rule is None:
            raise UnusableError("no pattern of shares: match: fits it any more")
        kind = rule[0]
        code = identity.code_of_share_url(url, self._codes)
        found = self._json(kind, response) if kind.format == "json" else self._page(kind, response)
        named = identity.normal_code(found.code) if found.code else None
        if named is not None and code is not None and named != code:
            raise UnusableError(f"the answer is about {named}, not about {code}")
        code = code or named or identity.url_fallback(url)
        if not first_words(found.html) and "<img" not in found.html:
            raise UnusableError("an empty text")
        name = normal_name(found.source_name or self._credit(found.html))
        copy = make_copy(
            NAME,
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
        note = unread_dates([found.date], self._zone)
        return Reading((copy,), (Problem(url, note),) if note is not None else ())

    def _json(self, rule: ShareRule, response: Response) -> _Text:
        document = json_body.load(response.body or b"", response.headers.get("content-type", ""))
        html = json_body.text(rule.html or "content || text", document, "text")
        if not html:
            raise UnusableError("JSON without a text")
        return _Text(
            html,
            sanitize.plain_text(json_body.line(rule.title, document, "title")),
            json_body.line(rule.published, document, "date"),
            json_body.line(rule.source, document, "source", 100),
            json_body.code(rule.code or _CODE, document),
        )

    def _page(self, rule: ShareRule, response: Response) -> _Text:
        selectors = PageSelectors(rule.html, rule.title, rule.published)
        content_type = response.headers.get("content-type", "")
        page = self._extract(response.body or b"", content_type, response.url, selectors)
        return _Text(page.html, page.title or "", page.date or "")

    def _credit(self, html: str) -> str:
        match = _CREDIT.search(html[-500:])
        return match[1] if match else ""

    def _rule(self, url: str) -> tuple[ShareRule, re.Match[str]] | None:
        for rule in self._rules:
            match = rule.match.search(url)
            if match is not None:
                return rule, match
        return None

    def _listed(self, reference: str) -> list[str]:
        """The URLs in a file, one a line; lines that start with # are remarks."""
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
    """An address from its template: `{url}`, `{origin}` and named groups, quoted."""
    parts = urlsplit(url)
    values = {name: quote(value or "", safe="") for name, value in groups.items()}
    known = {**values, "url": url, "origin": f"{parts.scheme}://{parts.netloc}"}
    return re.sub(r"\{(\w+)\}", lambda match: known.get(match[1], match[0]), template)
