"""The only outgoing connection: polite, bounded, safe.

`Fetcher.fetch_all` requests many URLs in threads.  Each host gets a few requests at a
time, and waiting for a host occupies no thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from aggregator.config.schema import Fetch
from aggregator.fetch.addresses import check_url
from aggregator.fetch.exchange import Exchanges
from aggregator.fetch.robots import RobotsFiles
from aggregator.fetch.session import Session
from aggregator.model.errors import FetchError, PostponedError
from aggregator.model.polls import Request, Response, RobotsFile
from aggregator.model.summaries import LEFT

Read = TypeVar("Read")

LOOK_AHEAD = 2000
CANCEL_WITHIN = 0.5


class Fetcher:
    """Fetches URLs.  Connections and robots.txt files are kept until it is closed.

    `robots` are the robots.txt files that are known, `robots_files` has those that were renewed.
    """

    def __init__(self, limits: Fetch, user_agent: str, robots: Iterable[RobotsFile] = ()) -> None:
        self._limits = limits
        self.is_cancelled = False
        self._exchanges = Exchanges(user_agent, limits)
        self.robots_files = RobotsFiles(self._exchanges.get, user_agent, robots)

    def fetch(self, request: Request) -> Response:
        """Return the response to one request.  Raises `FetchError`."""
        return self._get(request)[0]

    def post(self, url: str, form: Mapping[str, str]) -> Response:
        """Return the response to a form.  Raises `FetchError`."""
        return self._exchanges.post(url, form)

    def fetch_all(
        self,
        requests: Iterable[Request],
        read: Callable[[Request, Response], Read],
        seconds: float = math.inf,
    ) -> Iterator[tuple[Request, Read | FetchError]]:
        """Yield every request with what `read` returns for its response, as they come.

        `read` is called in the thread that fetched.  Where a host asks for a pause, or
        does not respond three times in a row, the rest of its requests come back with a
        `PostponedError`; so does all that is left after some `seconds`.  Requests are taken
        from the iterable some thousand ahead; one that was exhausted is asked again after
        each result, since there may be more by then.
        """
        session, waiting = self.session(read), iter(requests)
        until = time.monotonic() + seconds
        try:
            while True:
                if time.monotonic() > until:
                    for request in (*session.close_all(), *waiting):
                        yield request, PostponedError(request.url, LEFT)
                room = LOOK_AHEAD - session.outstanding
                for request in islice(waiting, room if room >= LOOK_AHEAD // 2 else 0):
                    postponed = session.add(request)
                    if postponed is not None:
                        yield request, postponed
                if not session.outstanding or self.is_cancelled:
                    return
                result = session.next(CANCEL_WITHIN)
                if result is not None:
                    yield result
        finally:
            session.stop()

    def session(
        self,
        read: Callable[[Request, Response], Read],
        may_send: Callable[[], bool] = lambda: True,
    ) -> Session[Read]:
        """Return a session that requests can be added to at any time."""
        return Session(self._get, self._limits, read, may_send, self.robots_files.known_delay)

    def cancel(self) -> None:
        """Send nothing more: `fetch_all` ends with what has come.  Any thread may call this."""
        self.is_cancelled = True

    def close(self) -> None:
        """Close all connections."""
        self._exchanges.close()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _get(self, request: Request) -> tuple[Response, float]:
        """Return a response, and the delay that robots.txt asks for."""
        delay = 0.0
        if request.obey_robots:
            delay = self.robots_files.check(replace(request, url=check_url(request.url)))
        return self._exchanges.get(request), delay
