"""robots.txt (RFC 9309): kept for its time, a day at most, and renewed conditionally."""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from aggregator.fetch.pacing import freshness
from aggregator.model.errors import FetchError
from aggregator.model.polls import Client, Request, Response, RobotsFile, Validators

MAX_BYTES = 512_000
MAX_SITES = 10_000
MAX_DELAY = 60.0
# RFC 9309 §2.4; many servers give every file a few minutes.
SHORTEST, LONGEST = datetime.timedelta(hours=1), datetime.timedelta(days=1)
_COMPATIBLE = re.compile(r"\(compatible;\s*([a-zA-Z_-]+)")
_PRODUCT = re.compile(r"[a-zA-Z_-]+")


@lru_cache(maxsize=64)
def product_of(user_agent: str) -> str:
    """Return the product token of a User-Agent header, by which robots.txt names it (§2.2.1).

    That of a header in the form of browsers stands after `compatible;`.
    """
    match = _COMPATIBLE.search(user_agent)
    if match is not None:
        return match[1]
    match = _PRODUCT.match(user_agent)
    return match[0] if match is not None else user_agent


def site_of(url: str) -> str:
    """Return the site whose robots.txt holds for a URL: `https://host:port`."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class RobotsFiles:
    """The robots.txt files of sites: `known` ones, and those that are read while this lives."""

    def __init__(
        self, fetch: Callable[[Request], Response], user_agent: str, known: Iterable[RobotsFile]
    ) -> None:
        self._fetch = fetch
        self._user_agent = user_agent
        self._sites = {file.site: _Site(file) for file in known}
        self._lock = threading.Lock()

    def add(self, known: Iterable[RobotsFile]) -> None:
        """Add files that others have read meanwhile."""
        with self._lock:
            for file in known:
                own = self._sites.get(file.site)
                if own is None or own.file is None or own.file.expires_at < file.expires_at:
                    self._sites[file.site] = _Site(file)

    def check(self, request: Request) -> float:
        """Return the seconds that a site asks for between two requests.

        Raises `FetchError`, with nothing sent, for a page that robots.txt disallows, or
        while robots.txt cannot be read.
        """
        key = site_of(request.url)
        with self._lock:
            if len(self._sites) >= MAX_SITES:
                self._sites.clear()
            site = self._sites.setdefault(key, _Site())
        with site.lock:
            if not site.is_read:
                self._read(site, key, replace(request.client, headers=()))
        if site.error is not None:
            raise FetchError(request.url, site.error, was_sent=site.was_sent)
        product = product_of(request.client.user_agent or self._user_agent)
        if not site.rules.can_fetch(request.url, product):
            raise FetchError(request.url, "disallowed by robots.txt", was_sent=False)
        return min(float(site.rules.crawl_delay(product) or 0.0), MAX_DELAY)

    def known_delay(self, request: Request) -> float:
        """Return the seconds between two requests that a site asks for, as far as that is known."""
        if not request.obey_robots:
            return 0.0
        try:
            key = site_of(request.url)
        except ValueError:
            return 0.0  # an invalid URL, which is refused later
        with self._lock:
            site = self._sites.get(key)
        now = datetime.datetime.now(datetime.UTC)
        if site is None or site.file is None or not now < site.file.expires_at <= now + LONGEST:
            return 0.0
        with site.lock:
            if not site.is_read:
                self._read(site, key, replace(request.client, headers=()))
        product = product_of(request.client.user_agent or self._user_agent)
        return min(float(site.rules.crawl_delay(product) or 0.0), MAX_DELAY)

    def renewed(self) -> list[RobotsFile]:
        """Return the files that were requested since this began, as they are now."""
        with self._lock:
            sites = list(self._sites.values())
        return [site.file for site in sites if site.is_renewed and site.file is not None]

    def take_renewed(self) -> list[RobotsFile]:
        """Return the files that were requested since the last time."""
        found = self.renewed()
        with self._lock:
            for site in self._sites.values():
                site.is_renewed = False
        return found

    def _read(self, site: _Site, key: str, client: Client) -> None:
        from protego import Protego

        now = datetime.datetime.now(datetime.UTC)
        # One that lies further ahead was written before the clock was set back.
        if site.file is None or not now < site.file.expires_at <= now + LONGEST:
            self._renew(site, key, client, now)
        if site.file is not None:
            # What cannot be renewed still holds (RFC 9309 §2.4).
            site.error = None
            site.rules = Protego.parse(site.file.text)
        site.is_read = True

    def _renew(self, site: _Site, key: str, client: Client, now: datetime.datetime) -> None:
        old = site.file
        validators = old.validators if old is not None else Validators()
        request = Request(f"{key}/robots.txt", validators, obey_robots=False, client=client)
        try:
            response = self._fetch(request)
        except FetchError as error:
            # What can't be reached is disallowed for now (RFC 9309 §2.3.1.4).
            prefix = "robots.txt could not be read: " if error.was_sent else ""
            site.error = prefix + error.reason
            site.was_sent = error.was_sent
            return
        is_same = response.status == 304 and old is not None
        is_missing = 400 <= response.status < 500 and response.status != 429
        if response.body is None and not is_same and not is_missing:
            site.error = f"robots.txt could not be read: status {response.status}"
            return
        text = (response.body or b"")[:MAX_BYTES].decode("utf-8-sig", "replace")
        fresh = freshness(response.headers, now)
        lifetime = LONGEST if fresh is None else min(max(fresh, SHORTEST), LONGEST)
        site.file = RobotsFile(
            key,
            old.text if is_same and old is not None else text,
            now + lifetime,
            response.validators,
        )
        site.is_renewed = True


class _Site:
    def __init__(self, file: RobotsFile | None = None) -> None:
        self.lock = threading.Lock()
        self.file = file
        self.is_read = False
        self.is_renewed = False
        self.rules: Any = None
        self.error: str | None = None
        self.was_sent = False
