"""Which request may be sent now: a few at a time for each host.  Pure.

Times are seconds of a monotonic clock, passed in.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

GIVE_UP_AFTER = 3


@dataclass(slots=True)
class _Host(Generic[Item]):
    waiting: deque[Item] = field(default_factory=deque)
    running: int = 0
    next_at: float = 0.0
    started: float = -math.inf
    delay: float = 0.0
    failures: int = 0
    is_queued: bool = False
    closed: tuple[str, float] | None = None


class HostQueue(Generic[Item]):
    """Items by host, each handed out when its host is free for a request.

    At most `at_once` items of a host are out at a time, and their starts are `delay`
    seconds apart, times `jitter()`.  Waiting for one host never delays another.
    """

    def __init__(self, at_once: int, delay: float, jitter: Callable[[], float]) -> None:
        self._at_once = at_once
        self._delay = delay
        self._jitter = jitter
        self._hosts: dict[str, _Host[Item]] = {}
        self._ready: list[tuple[float, int, str]] = []
        self._count = itertools.count()
        self.size = 0

    def add(self, host: str, item: Item) -> tuple[str, float] | None:
        """Add an item, or return the reason and the seconds for which its host is closed."""
        entry = self._hosts.setdefault(host, _Host(delay=self._delay))
        if entry.closed is not None:
            return entry.closed
        entry.waiting.append(item)
        self.size += 1
        self._offer(host, entry)
        return None

    def take(self, now: float) -> tuple[str, Item] | float | None:
        """Return an item that may be sent now, or the seconds until there is one.

        None if nothing can be taken until `done` is called.
        """
        while self._ready:
            at, _, host = self._ready[0]
            if at > now:
                return at - now
            heapq.heappop(self._ready)
            entry = self._hosts[host]
            entry.is_queued = False
            if not entry.waiting or entry.next_at > now:
                self._offer(host, entry)
                continue
            item = entry.waiting.popleft()
            self.size -= 1
            entry.running += 1
            entry.started = now
            entry.next_at = now + entry.delay * self._jitter()
            self._offer(host, entry)
            return host, item
        return None

    def done(self, host: str, *, answered: bool) -> list[Item]:
        """Note that an item is back; return the items that are given up.

        After some failures in a row these are all that wait for the host.
        """
        entry = self._hosts[host]
        entry.running -= 1
        entry.failures = 0 if answered else entry.failures + 1
        if entry.failures >= GIVE_UP_AFTER:
            return self.close(host, "its host does not respond: left for the next poll", 0.0)
        self._offer(host, entry)
        return []

    def hosts(self) -> list[str]:
        """Return all hosts that there were items for."""
        return list(self._hosts)

    def close(self, host: str, reason: str, seconds: float = 0.0) -> list[Item]:
        """Hand out nothing more for a host; return what was waiting."""
        entry = self._hosts[host]
        entry.closed = entry.closed or (reason, seconds)
        left, entry.waiting = list(entry.waiting), deque()
        self.size -= len(left)
        return left

    def forget(self, host: str) -> float:
        """Forget a host without items; return when an item of it may be handed out again."""
        entry = self._hosts.get(host)
        if entry is None or entry.waiting or entry.running:
            return 0.0
        if entry.is_queued:
            # Since it was closed; its turn has not come yet.
            self._hosts[host] = _Host(delay=self._delay, next_at=entry.next_at, is_queued=True)
        else:
            del self._hosts[host]
        return entry.next_at

    def pause(self, host: str, until: float) -> None:
        """Hand out nothing for a host before `until`."""
        entry = self._hosts[host]
        entry.next_at = max(entry.next_at, until)

    def slow_down(self, host: str, delay: float) -> None:
        """Leave at least `delay` seconds between two requests to a host, from the last one on."""
        entry = self._hosts.setdefault(host, _Host(delay=self._delay))
        entry.delay = max(entry.delay, delay)
        entry.next_at = max(entry.next_at, entry.started + delay)

    def closed(self, host: str) -> tuple[str, float] | None:
        """Return why a host is closed, and for how many seconds; None if it is open."""
        return self._hosts[host].closed

    def _offer(self, host: str, entry: _Host[Item]) -> None:
        if entry.waiting and not entry.is_queued and entry.running < self._at_once:
            entry.is_queued = True
            heapq.heappush(self._ready, (entry.next_at, next(self._count), host))
