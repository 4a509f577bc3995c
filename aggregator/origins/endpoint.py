"""What origins of one URL have in common: a list endpoint, an upstream feed."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import TypeVar
from zoneinfo import ZoneInfo

from aggregator.articles import identity
from aggregator.config.origins import REQUEST_KEYS, Endpoint
from aggregator.config.schema import Settings
from aggregator.fetch.pacing import Pace
from aggregator.model.articles import Copy, Problem
from aggregator.model.digests import digest_of
from aggregator.model.errors import UnusableError, unforeseen
from aggregator.model.polls import Client
from aggregator.origins.copies import unreadable_dates
from aggregator.origins.parsers.readers import Readers

Item = TypeVar("Item")


class EndpointOrigin:
    """An origin of one URL, which config.yaml names (an `interface.UpstreamOrigin` but `read`).

    `version` goes up whenever the same response is read differently.
    """

    accept = "*/*"
    version = 1

    def __init__(
        self, section: Endpoint, settings: Settings, codes: identity.Rules, readers: Readers
    ) -> None:
        self.name = section.name
        self.codes = codes
        self.zone = ZoneInfo(settings.site.timezone)
        self.readers = readers
        self.section = section
        self._every = section.every or getattr(settings.schedule, section.kind)

    @property
    def rules(self) -> bytes:
        """Return the digest of all that reading a response depends on."""
        section = self.section.model_dump(mode="json", exclude=REQUEST_KEYS)
        return digest_of((self.version, section, self.codes, self.zone.key))

    def named_urls(self) -> list[str]:
        """Return the one URL."""
        return [self.section.url]

    @property
    def is_urgent(self) -> bool:
        """Return False: what was read is in the store."""
        return False

    @property
    def window(self) -> None:
        """Nothing is read again because of the age of an article."""

    def is_recent(self, url: str, published: datetime.datetime, now: datetime.datetime) -> bool:
        """Return False: see `window`."""
        return False

    def accepts(self, url: str) -> bool:
        """Return whether a URL is the one that this origin reads."""
        return url == self.section.url

    def pace(self, url: str) -> Pace:
        """Return how often the URL is requested: as scheduled, or as long as it stays fresh."""
        return Pace(self._every, is_own=self.section.every is not None)

    def address(self, url: str) -> str | None:
        """Return the URL itself."""
        return url

    def obeys_robots(self, url: str) -> bool:
        """Return whether robots.txt is obeyed, as configured."""
        return self.section.robots

    def client(self, url: str) -> Client:
        """Return the User-Agent, headers and proxy, as configured."""
        return self.section.client(self.section.url)

    def collect(
        self, items: Iterable[tuple[str, Item]], make: Callable[[Item], tuple[Copy, str]]
    ) -> tuple[list[Copy], list[Problem]]:
        """Return the copies that `make` makes of labelled items, and the problems of the others.

        `make` returns a copy and its date as it is written.  One bad item stops no other; of
        copies at the same location, the first one counts.
        """
        copies: dict[str, Copy] = {}
        problems: list[Problem] = []
        dates: list[str] = []
        url = self.section.url
        for label, item in items:
            try:
                copy, date = make(item)
            except UnusableError as error:
                problems.append(Problem(url, f"{label}: {error.reason}"))
            except Exception as error:  # noqa: BLE001  # one item stops no other
                problems.append(Problem(url, f"{label}: cannot be read ({unforeseen(error)})"))
            else:
                dates.append(date)
                copies.setdefault(copy.location, copy)
        unreadable = unreadable_dates(dates, self.zone)
        if unreadable is not None:
            problems.append(Problem(url, unreadable))
        return list(copies.values()), problems
