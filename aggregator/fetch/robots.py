"""robots.txt (RFC 9309): read once for each scheme and host."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aggregator.model.errors import FetchError
from aggregator.model.polls import Request, Response

PRODUCT = "aggregator"
MAX_BYTES = 512_000
MAX_SITES = 10_000
MAX_DELAY = 60.0


class RobotsFiles:
    """The robots.txt files of sites, kept for as long as this lives."""

    def __init__(self, fetch: Callable[[Request], Response]) -> None:
        self._fetch = fetch
        self._sites: dict[str, _Site] = {}
        self._lock = threading.Lock()

    def check(self, url: str) -> float:
        """Return the seconds that a site asks for between two requests.

        Raises `FetchError`, with nothing sent, for a page that robots.txt disallows, or
        while robots.txt cannot be read.
        """
        parts = urlsplit(url)
        key = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if len(self._sites) >= MAX_SITES:
                self._sites.clear()
            site = self._sites.setdefault(key, _Site())
        with site.lock:
            if not site.is_read:
                self._read(site, key)
        if site.error is not None:
            raise FetchError(url, site.error, was_sent=site.was_sent)
        if site.rules is None:
            return 0.0
        if not site.rules.can_fetch(url, PRODUCT):
            raise FetchError(url, "disallowed by robots.txt", was_sent=False)
        return min(float(site.rules.crawl_delay(PRODUCT) or 0.0), MAX_DELAY)

    def _read(self, site: _Site, key: str) -> None:
        from protego import Protego

        try:
            response = self._fetch(Request(f"{key}/robots.txt", obey_robots=False))
        except FetchError as error:
            # What can't be reached is disallowed for now (RFC 9309 §2.3.1.4).
            prefix = "robots.txt could not be read: " if error.was_sent else ""
            site.error = prefix + error.reason
            site.was_sent = error.was_sent
        else:
            if response.status >= 500 or response.status == 429:
                site.error = f"robots.txt could not be read: status {response.status}"
            elif response.body is not None:
                site.rules = Protego.parse(response.body[:MAX_BYTES].decode("utf-8-sig", "replace"))
        site.is_read = True


class _Site:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_read = False
        self.rules: Any = None
        self.error: str | None = None
        self.was_sent = False
