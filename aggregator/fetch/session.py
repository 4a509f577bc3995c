"""Requests to many hosts at a time: threads that send what is allowed now."""

from __future__ import annotations

import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from aggregator.config.schema import Fetch
from aggregator.fetch.pacing import retry_after
from aggregator.fetch.per_host import HostQueue
from aggregator.model.errors import FetchError, PostponedError, masked, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Request, Response
from aggregator.model.summaries import LEFT

Read = TypeVar("Read")
# Returns the response to a request, and the delay that robots.txt asks for.
Get = Callable[[Request], tuple[Response, float]]

# How many responses may wait while those before them are stored.
FINISHED_AHEAD = 400
PAUSE = 30.0
SHORT_PAUSE = 2.0
MAX_GOODBYE = 1.0
FORBIDDEN_FOR = 0.5


@dataclass(frozen=True, slots=True)
class Result(Generic[Read]):
    """A request, and what was read of its response or why there is none."""

    request: Request
    outcome: Read | FetchError
    bug: Exception | None = None


class Session(Generic[Read]):
    """Threads that send requests as their hosts allow it, until `stop`."""

    def __init__(
        self,
        get: Get,
        limits: Fetch,
        read: Callable[[Request, Response], Read],
        may_send: Callable[[], bool] = lambda: True,
        known_delay: Callable[[Request], float] = lambda request: 0.0,
    ) -> None:
        """Begin.  `known_delay` returns the delay that a robots.txt asks for that is known.

        `read` is called in the thread that fetched; `may_send` can forbid to send."""
        self._get = get
        self._read = read
        self._may_send = may_send
        self._known_delay = known_delay
        self._limits = limits
        self._queue: HostQueue[Request] = HostQueue(
            limits.per_host.concurrency,
            limits.per_host.delay.total_seconds(),
            lambda: random.uniform(0.75, 1.25),  # noqa: S311  # no secret
        )
        self._changed = threading.Condition()
        self._results: queue.Queue[Result[Read] | None] = queue.Queue(FINISHED_AHEAD)
        # Dozens of threads that parse would starve the one that stores their results.
        self._reading = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._is_stopped = False
        self.outstanding = 0

    def add(self, request: Request) -> PostponedError | None:
        """Send a request when its host allows it, or return why it is not sent now."""
        host = host_of(request.url)
        delay = self._known_delay(request)
        with self._changed:
            self._queue.slow_down(host, delay)
            closed = self._queue.add(host, request)
            self._changed.notify()
        if closed is not None:
            return PostponedError(request.url, *closed)
        self.outstanding += 1
        if len(self._threads) < min(self._limits.concurrency, self.outstanding):
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()
        return None

    def next(self, seconds: float) -> tuple[Request, Read | FetchError] | None:
        """Return the next result; None after some seconds without one, or after `wake`."""
        try:
            result = self._results.get(timeout=seconds)
        except queue.Empty:
            return None
        if result is None:
            return None
        if result.bug is not None:
            raise result.bug
        self.outstanding -= 1
        return result.request, result.outcome

    def wake(self) -> None:
        """End a wait for the next result.  Any thread may call this."""
        with contextlib.suppress(queue.Full):
            self._results.put_nowait(None)

    def close_all(self) -> list[Request]:
        """Send nothing more of what waits, and return it."""
        with self._changed:
            left = [
                request for host in self._queue.hosts() for request in self._queue.close(host, LEFT)
            ]
        self.outstanding -= len(left)
        return left

    def forget(self, host: str) -> float:
        """Forget a host without requests; return the seconds until it may be sent the next one.

        What made it close is forgotten, too.
        """
        with self._changed:
            return max(self._queue.forget(host) - time.monotonic(), 0.0)

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

    def _work(self) -> None:
        try:
            self._fetch_in_turn()
        except Exception as error:  # noqa: BLE001  # raised again in the main thread
            self._results.put(Result(Request(""), FetchError("", ""), error))

    def _fetch_in_turn(self) -> None:
        while True:
            taken = self._take()
            if taken is None:
                return
            host, request = taken
            delay = 0.0
            outcome: Response | FetchError
            try:
                outcome, delay = self._get(request)
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
                self._results.put(Result(request, found))
            else:
                self._results.put(Result(request, outcome))
            for other in given_up:
                reason, seconds = self._queue.closed(host) or (LEFT, 0.0)
                self._results.put(Result(other, PostponedError(other.url, reason, seconds)))

    def _take(self) -> tuple[str, Request] | None:
        """Return the next request that is allowed, waiting for it; None at the end."""
        with self._changed:
            while not self._is_stopped:
                if not self._may_send():
                    self._changed.wait(FORBIDDEN_FOR)
                    continue
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
