"""An upstream feed as an origin (RFC 4287, RSS, JSON Feed)."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aggregator.articles import identity
from aggregator.articles.sources import SourceKeys, normal_name
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Copy, Problem
from aggregator.model.digests import digest_of
from aggregator.model.errors import UnusableError, unforeseen
from aggregator.model.polls import Response
from aggregator.origins.copies import make_copy, unread_dates
from aggregator.origins.interface import Reading
from aggregator.origins.parsers.feed import FeedItem, ParsedFeed

# One more whenever the same response is read otherwise than before.
READER_VERSION = 2

ParseFeed = Callable[[bytes, str, str, str], ParsedFeed]


@dataclass(frozen=True, slots=True)
class SubscriptionRule:
    """An upstream feed; `source` is the key of the source that its entries are from."""

    url: str
    source: str | None
    every: datetime.timedelta
    heed_robots: bool


class Subscription:
    """One upstream feed (an `interface.UpstreamOrigin`)."""

    def __init__(
        self,
        rule: SubscriptionRule,
        codes: identity.Rules,
        timezone: str,
        is_share_page: Callable[[str], bool],
        parse: ParseFeed,
    ) -> None:
        self._rule = rule
        self._codes = codes
        self._zone = ZoneInfo(timezone)
        self._is_share_page = is_share_page
        self._parse = parse

    @property
    def name(self) -> str:
        """What the origin is called in the store and in messages."""
        return f"subscriptions:{self._rule.url}"

    @property
    def rules(self) -> bytes:
        """The digest of all that reading an answer depends on."""
        rule = dataclasses.astuple(dataclasses.replace(self._rule, every=datetime.timedelta(1)))
        return digest_of((READER_VERSION, rule, self._codes, self._zone.key))

    @property
    def accept(self) -> str:
        """Feeds of every kind."""
        return (
            "application/atom+xml, application/rss+xml, application/feed+json, "
            "application/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
        )

    def named_urls(self) -> list[str]:
        """The feed."""
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
        """As scheduled, or as long as the feed stays fresh."""
        return Pace(self._rule.every)

    def address(self, url: str) -> str | None:
        """The URL itself."""
        return url

    def heeds_robots(self, url: str) -> bool:
        """As configured: feeds are there for programs."""
        return self._rule.heed_robots

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """The entries of the feed; see `interface.UpstreamOrigin.read`."""
        content_type = response.headers.get("content-type", "")
        feed = self._parse(response.body or b"", content_type, response.url, self._zone.key)
        name = normal_name(feed.title or "")
        source = self._rule.source or (sources.key_of(name) if name else "")
        copies: dict[str, Copy] = {}
        problems = [Problem(url, note) for note in feed.notes]
        dates: list[str] = []
        for item in feed.items:
            try:
                copy = self._copy(item, source, name, response.url, now)
            except UnusableError as error:
                problems.append(Problem(url, f"{item.title[:60] or item.guid}: {error.reason}"))
                continue
            except Exception as error:  # noqa: BLE001  # one entry stops no other
                reason = f"{item.title[:60] or item.guid}: cannot be read ({unforeseen(error)})"
                problems.append(Problem(url, reason))
                continue
            dates.append(item.unread_date)
            copies.setdefault(copy.location, copy)
        unread = unread_dates(dates, self._zone)
        if unread is not None:
            problems.append(Problem(url, unread))
        return Reading(tuple(copies.values()), tuple(problems))

    def _copy(
        self, item: FeedItem, source: str, name: str, base: str, now: datetime.datetime
    ) -> Copy:
        addresses = [address for address in (item.link, item.guid) if address]
        code = next(
            (
                code
                for address in addresses
                if (code := identity.code_of_share_url(address, self._codes))
                or (code := identity.code_of_article_url(address, self._codes))
            ),
            None,
        )
        if code is None and item.guid:
            code = identity.guid_fallback(self._rule.url, item.guid)
        elif code is None and item.link:
            code = identity.url_fallback(item.link)
        elif code is None:
            if not item.title and not item.html:
                raise UnusableError("an entry without id, link, title and text")
            words = hashlib.sha256(f"{item.title}\0{item.html}".encode()).hexdigest()[:32]
            code = identity.guid_fallback(self._rule.url, words)
        is_share_page = item.link is not None and self._is_share_page(item.link)
        return make_copy(
            self.name,
            item.guid or item.link or code,
            code,
            item.html,
            self._zone,
            now,
            title=item.title,
            source=source,
            source_name=name,
            published=item.published,
            date=item.unread_date,
            is_full=item.is_full,
            link=None if is_share_page else item.link,
            share_url=item.link if is_share_page else None,
            base=item.link or base,
            categories=item.categories,
            enclosures=item.enclosures,
        )
