"""An upstream feed as an origin (RFC 4287, RSS, JSON Feed)."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Collection
from urllib.parse import urlsplit

from aggregator.articles import identity
from aggregator.articles.sources import SourceKeys, normal_name
from aggregator.config.schema import Settings
from aggregator.model.articles import Copy, Problem
from aggregator.model.errors import UnusableError
from aggregator.model.polls import Response
from aggregator.origins.copies import make_copy
from aggregator.origins.endpoint import EndpointOrigin
from aggregator.origins.feed_list import FeedListOrigin
from aggregator.origins.interface import Reading, UpstreamOrigin
from aggregator.origins.parsers.feed_items import FeedItem, ParsedFeed
from aggregator.origins.parsers.readers import Readers


def from_settings(
    settings: Settings, codes: identity.Rules, readers: Readers
) -> list[UpstreamOrigin]:
    """Return an origin for each upstream feed of the configuration, and for each list of them."""
    return [
        *(SubscriptionOrigin(feed, settings, codes, readers) for feed in settings.subscriptions),
        *(FeedListOrigin(section, settings, codes, readers) for section in settings.feed_lists),
    ]


class SubscriptionOrigin(EndpointOrigin):
    """One upstream feed."""

    version = 4
    accept = (
        "application/atom+xml, application/rss+xml, application/feed+json, "
        "application/xml;q=0.9, application/json;q=0.8, */*;q=0.5"
    )

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """Return the entries of the feed; see `interface.UpstreamOrigin.read`."""
        content_type = response.headers.get("content-type", "")
        feed = self.readers.feed(response.body or b"", content_type, response.url, self.zone.key)
        name = normal_name(feed.title or "")
        source = self.section.source or (sources.key_of(name) if name else "")
        shared = _shared_links(feed)
        copies, problems = self.collect(
            ((item.title[:60] or item.guid or "", item) for item in feed.items),
            lambda item: self._copy(item, source, name, response.url, now, shared),
        )
        notes = [Problem(url, note) for note in feed.notes]
        return Reading(tuple(copies), (*notes, *problems), cadence=feed.cadence)

    def _copy(
        self,
        item: FeedItem,
        source: str,
        name: str,
        base: str,
        now: datetime.datetime,
        shared: Collection[str],
    ) -> tuple[Copy, str]:
        code = self._code(item) or self._fallback(item, shared)
        is_share_page = item.link is not None and identity.is_share_url(item.link, self.codes)
        copy = make_copy(
            self.name,
            item.guid or (item.link if item.link and item.link not in shared else code),
            code,
            item.html,
            self.zone,
            now,
            title=item.title,
            source=source,
            source_name=name,
            published=item.published,
            updated=item.updated,
            date=item.unreadable_date,
            is_full=item.is_full,
            link=None if is_share_page else item.link,
            share_url=item.link if is_share_page else None,
            base=item.base or item.link or base,
            categories=item.categories,
            enclosures=item.enclosures,
            author=item.author,
        )
        return copy, item.unreadable_date

    def _code(self, item: FeedItem) -> str | None:
        """Return the code that an entry's link or GUID names, None if they name none."""
        for address in filter(None, (item.link, item.guid)):
            code = identity.code_of_share_url(address, self.codes)
            if code := code or identity.code_of_article_url(address, self.codes):
                return code
        return None

    def _fallback(self, item: FeedItem, shared: Collection[str]) -> str:
        """Return what identifies an entry without a code: GUID, link, or its words."""
        if item.guid:
            return identity.guid_fallback(self.section.url, item.guid)
        if item.link and item.link not in shared:
            return identity.url_fallback(item.link)
        if item.link:
            date = item.published.isoformat() if item.published else ""
            words = f"{item.link}\0{item.title or item.html}\0{date}"
        elif item.title or item.html:
            words = f"{item.title}\0{item.html}"
        else:
            raise UnusableError("an entry without id, link, title or text")
        digest = hashlib.sha256(words.encode()).hexdigest()[:32]
        return identity.guid_fallback(self.section.url, digest)


def _shared_links(feed: ParsedFeed) -> set[str]:
    """Return the links that identify no entry: the feed's own site, and links of several entries.

    Entries of a status page, for one, all link to it.  Those with a GUID don't need a link.
    """
    texts: dict[str, set[tuple[str, str]]] = {}
    for item in feed.items:
        if item.link and not item.guid:
            texts.setdefault(item.link, set()).add((item.title, item.html))
    return {
        link
        for link, found in texts.items()
        if len(found) > 1 or link == feed.site or urlsplit(link).path in ("", "/")
    }
