"""An upstream feed as an origin (RFC 4287, RSS, JSON Feed)."""

from __future__ import annotations

import datetime
import hashlib

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
from aggregator.origins.parsers.feed import FeedItem
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

    version = 2
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
        copies, problems = self.collect(
            ((item.title[:60] or item.guid or "", item) for item in feed.items),
            lambda item: self._copy(item, source, name, response.url, now),
        )
        notes = [Problem(url, note) for note in feed.notes]
        return Reading(tuple(copies), (*notes, *problems))

    def _copy(
        self, item: FeedItem, source: str, name: str, base: str, now: datetime.datetime
    ) -> tuple[Copy, str]:
        addresses = [address for address in (item.link, item.guid) if address]
        code = next(
            (
                code
                for address in addresses
                if (code := identity.code_of_share_url(address, self.codes))
                or (code := identity.code_of_article_url(address, self.codes))
            ),
            None,
        )
        if code is None and item.guid:
            code = identity.guid_fallback(self.section.url, item.guid)
        elif code is None and item.link:
            code = identity.url_fallback(item.link)
        elif code is None:
            if not item.title and not item.html:
                raise UnusableError("an entry without id, link, title or text")
            words = hashlib.sha256(f"{item.title}\0{item.html}".encode()).hexdigest()[:32]
            code = identity.guid_fallback(self.section.url, words)
        is_share_page = item.link is not None and identity.is_share_url(item.link, self.codes)
        copy = make_copy(
            self.name,
            item.guid or item.link or code,
            code,
            item.html,
            self.zone,
            now,
            title=item.title,
            source=source,
            source_name=name,
            published=item.published,
            date=item.unreadable_date,
            is_full=item.is_full,
            link=None if is_share_page else item.link,
            share_url=item.link if is_share_page else None,
            base=item.link or base,
            categories=item.categories,
            enclosures=item.enclosures,
        )
        return copy, item.unreadable_date
