"""A list of feeds in OPML at a URL: polls save a copy for the configuration."""

from __future__ import annotations

import datetime
from pathlib import Path

from aggregator.articles import identity
from aggregator.articles.sources import SourceKeys
from aggregator.config import opml
from aggregator.config.origins import FeedList
from aggregator.config.schema import Settings
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Problem
from aggregator.model.atomic import replace_file
from aggregator.model.digests import digest_of
from aggregator.model.errors import UnusableError
from aggregator.model.polls import Response
from aggregator.origins.endpoint import EndpointOrigin
from aggregator.origins.interface import Reading
from aggregator.origins.parsers.readers import Readers

EVERY = datetime.timedelta(days=1)


class FeedListOrigin(EndpointOrigin):
    """A list of feeds; it yields no articles (an `interface.UpstreamOrigin`)."""

    saves = True
    accept = "text/x-opml, application/xml;q=0.9, */*;q=0.5"

    def __init__(
        self, section: FeedList, settings: Settings, codes: identity.Rules, readers: Readers
    ) -> None:
        super().__init__(section, settings, codes, readers)
        self._path = opml.kept_list(settings.store_path, section.url)

    @property
    def rules(self) -> bytes:
        """Return a digest that changes when the copy is lost, so that it is read again."""
        return digest_of((self.version, self.is_urgent))

    @property
    def is_urgent(self) -> bool:
        """Whether there is no copy, or one that cannot be read: its feeds are unknown."""
        return not opml.kept_feeds(self._path)

    def pace(self, url: str) -> Pace:
        """Return how often the list is requested: once a day."""
        return Pace(EVERY)

    def read(
        self, url: str, response: Response, sources: SourceKeys, now: datetime.datetime
    ) -> Reading:
        """Save the list, unless its feeds are those that it had, or the origin only checks it.

        Raises `UnusableError` if it is no list, or cannot be written.
        """
        data = response.body or b""
        feeds = opml.feeds_of(data)
        if self.saves and feeds != opml.kept_feeds(self._path):
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self._path, data)
            except OSError as error:
                raise UnusableError(f"{self._path}: {error.strerror}") from error
        document = data if self.saves else None
        left = len(feeds) - len(opml.subscribed(feeds))
        if not left:
            return Reading(feeds=len(feeds), document=document)
        reason = (
            f"{left:,} of its {len(feeds):,} feeds were left out: their URLs cannot be requested"
        )
        problems = (Problem(url, reason),)
        return Reading(problems=problems, feeds=len(feeds), document=document)


def kept_lists(settings: Settings) -> dict[Path, list[str]]:
    """Return the feeds of each list that polls have kept, by its copy's path."""
    found = [opml.kept_list(settings.store_path, section.url) for section in settings.feed_lists]
    return {path: opml.kept_feeds(path) for path in found}
