"""The only outgoing connection: polite, bounded, safe.

`Fetcher.fetch_all` requests many URLs in threads.  Each host gets a few requests at a
time, and waiting for a host occupies no thread.
"""

from __future__ import annotations

import contextlib
import math
import queue
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from aggregator.config.schema import Fetch
from aggregator.fetch.addresses import check_url
from aggregator.fetch.exchange import Exchanges
from aggregator.fetch.pacing import retry_after
from aggregator.fetch.per_host import HostQueue
from aggregator.fetch.robots import RobotsFiles
from aggregator.model.errors import FetchError, PostponedError, masked, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Request, Response, RobotsFile
from aggregator.model.summaries import LEFT

Read = TypeVar("Read")

LOOK_AHEAD = 2000
# How many responses may wait while those before them are stored.
FINISHED_AHEAD = 400
PAUSE = 30.0
SHORT_PAUSE = 2.0
MAX_GOODBYE = 1.0
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
        run = _Run(self, requests, read, seconds)
        try:
            yield from run.results()
        finally:
            run.stop()

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


@dataclass(frozen=True, slots=True)
class _Result(Generic[Read]):
    request: Request
    outcome: Read | FetchError
    bug: Exception | None = None


class _Run(Generic[Read]):
    """One `fetch_all`: threads that send what is allowed now, and one that feeds them."""

    def __init__(
        self,
        fetcher: Fetcher,
        requests: Iterable[Request],
        read: Callable[[Request, Response], Read],
        seconds: float,
    ) -> None:
        self._until = time.monotonic() + seconds
        self._fetcher = fetcher
        self._read = read
        self._limits = fetcher._limits
        self._requests = iter(requests)
        self._queue: HostQueue[Request] = HostQueue(
            self._limits.per_host.concurrency,
            self._limits.per_host.delay.total_seconds(),
            lambda: random.uniform(0.75, 1.25),  # noqa: S311  # no secret
        )
        self._changed = threading.Condition()
        self._results: queue.Queue[_Result[Read]] = queue.Queue(FINISHED_AHEAD)
        # Dozens of threads that parse would starve the one that stores their results.
        self._reading = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._is_stopped = False

    def results(self) -> Iterator[tuple[Request, Read | FetchError]]:
        """Yield all results; feeds the threads meanwhile."""
        outstanding = 0
        while True:
            if time.monotonic() > self._until:
                left = self._close_all()
                outstanding -= len(left)
                for request in (*left, *self._requests):
                    yield request, PostponedError(request.url, LEFT)
            room = LOOK_AHEAD - outstanding
            for request in islice(self._requests, room if room >= LOOK_AHEAD // 2 else 0):
                closed = self._add(request)
                if closed is None:
                    outstanding += 1
                else:
                    yield request, PostponedError(request.url, *closed)
                self._start_thread(outstanding)
            if not outstanding or self._fetcher.is_cancelled:
                return
            try:
                result = self._results.get(timeout=CANCEL_WITHIN)
            except queue.Empty:
                continue
            if result.bug is not None:
                raise result.bug
            yield result.request, result.outcome
            outstanding -= 1

    def _close_all(self) -> list[Request]:
        with self._changed:
            return [
                request for host in self._queue.hosts() for request in self._queue.close(host, LEFT)
            ]

    def stop(self) -> None:
        """End the threads, whatever requests are left."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        until = time.monotonic() + MAX_GOODBYE
        for thread in self._threads:
            # A thread that waits for a server ends by itself, at its deadline.
            while thread.is_alive() and time.monotonic() < until:
                with contextlib.suppress(queue.Empty):
                    while True:
                        self._results.get_nowait()
                thread.join(0.02)

    def _add(self, request: Request) -> tuple[str, float] | None:
        host = host_of(request.url)
        with self._changed:
            closed = self._queue.add(host, request)
            self._changed.notify()
        return closed

    def _start_thread(self, outstanding: int) -> None:
        if len(self._threads) < min(self._limits.concurrency, outstanding):
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        try:
            self._fetch_in_turn()
        except Exception as error:  # noqa: BLE001  # raised again in the main thread
            self._results.put(_Result(Request(""), FetchError("", ""), error))

    def _fetch_in_turn(self) -> None:
        while True:
            taken = self._take()
            if taken is None:
                return
            host, request = taken
            delay = 0.0
            outcome: Response | FetchError
            try:
                outcome, delay = self._fetcher._get(request)
            except FetchError as error:
                outcome = error
            except Exception as error:  # noqa: BLE001  # one URL stops no other
                LOGGER.debug("%s", masked(request.url), exc_info=True)
                reason = f"cannot be fetched ({unforeseen(error)})"
                outcome = FetchError(request.url, reason)
            given_up = self._note(host, outcome, delay)
            if isinstance(outcome, Response):
                with self._reading:
                    found = self._read(request, outcome)
                self._results.put(_Result(request, found))
            else:
                self._results.put(_Result(request, outcome))
            for other in given_up:
                reason, seconds = self._queue.closed(host) or (LEFT, 0.0)
                self._results.put(_Result(other, PostponedError(other.url, reason, seconds)))

    def _take(self) -> tuple[str, Request] | None:
        """Return the next request that is allowed, waiting for it; None at the end."""
        with self._changed:
            while not self._is_stopped:
                taken = self._queue.take(time.monotonic())
                if isinstance(taken, tuple):
                    return taken
                self._changed.wait(taken)
        return None

    def _note(self, host: str, outcome: Response | FetchError, delay: float) -> list[Request]:
        """Note an outcome; return the requests that are given up with it."""
        with self._changed:
            self._queue.slow_down(host, delay)
            answered = isinstance(outcome, Response) or outcome.was_answered or not outcome.was_sent
            given_up = self._queue.done(host, answered=answered)
            if isinstance(outcome, Response) and outcome.status in (429, 503):
                wait = retry_after(outcome.headers, datetime.now(UTC))
                seconds = wait.total_seconds() if wait is not None else PAUSE
                if seconds <= SHORT_PAUSE:
                    self._queue.pause(host, time.monotonic() + seconds)
                else:
                    reason = f"{host} asks for a pause of {seconds:.0f} s"
                    given_up += self._queue.close(host, reason, seconds)
            self._changed.notify(2)
        return given_up


def host_of(url: str) -> str:
    """Return the host that requests are counted by; an invalid URL is refused later."""
    end = url.find("/", len("https://"))
    return _host_of_site(url if end < 0 else url[:end])


@lru_cache(maxsize=1000)
def _host_of_site(site: str) -> str:
    try:
        return urlsplit(site).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
