"""One poll of the upstream: the due URLs of all origins are requested, and responses merged.

All origins share one queue of hosts, so that a host's limits, pauses and failures count for
whatever is requested of it, and a slow one delays no other.  The network runs in the
fetcher's threads; everything here has one writer.
"""

from __future__ import annotations

import contextlib
import datetime
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aggregator.articles.sources import SourceKeys
from aggregator.fetch.fetcher import Fetcher
from aggregator.fetch.session import host_of
from aggregator.model.errors import AggregatorError, FetchError, OriginError, unforeseen
from aggregator.model.kinds import SHARES
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Batch, Request, Response
from aggregator.model.reports import Report, no_report
from aggregator.model.summaries import OriginSummary
from aggregator.origins.interface import UpstreamOrigin
from aggregator.poll import batches, responses
from aggregator.poll.ingest import MergeRules
from aggregator.poll.origin_poll import OriginPoll, Scope
from aggregator.poll.responses import ParsedResponse
from aggregator.store import urls
from aggregator.store.origins import save_origin
from aggregator.store.rows import SQL_ERRORS, Transaction

Clock = Callable[[], datetime.datetime]
# Responses and copies that are saved together.
BATCH = 400
MAX_SECONDS_UNSAVED = 1.0


def poll(
    transaction: Transaction,
    fetcher: Fetcher | None,
    origins: Sequence[UpstreamOrigin],
    rules: MergeRules,
    configured_sources: Mapping[str, str],
    number: int,
    clock: Clock,
    scope: Scope,
    report: Report = no_report,
    seconds: float = math.inf,
) -> list[OriginSummary]:
    """Request the due URLs of all origins, and merge the responses as they come.

    `number` is that of the poll; an interrupted poll is resumed by the next one.  Without a
    fetcher nothing is requested, and the summaries say what is due.  After some `seconds`
    what is left waits for the next poll.  A bad URL is a problem; an origin of which no URL
    answered is a failure.
    """
    polls = {origin.name: OriginPoll(origin, OriginSummary(name=origin.name)) for origin in origins}
    run = _Run(transaction, polls, rules, number, clock, report)
    run.begin(configured_sources, scope)
    if fetcher is not None:
        run.fetch(fetcher, time.monotonic() + seconds, follows_pages=not scope.only)
        run.finish()
    return [poll.summary for poll in polls.values()]


@dataclass(slots=True)
class _Run:
    transaction: Transaction
    polls: Mapping[str, OriginPoll]
    rules: MergeRules
    number: int
    clock: Clock
    report: Report
    sources: SourceKeys = field(init=False)
    requests: deque[Request] = field(default_factory=deque)
    unsaved: int = 0
    saved_at: float = field(default_factory=time.monotonic)

    def begin(self, configured_sources: Mapping[str, str], scope: Scope) -> None:
        """Find what is due."""
        now = self.clock()
        with self.transaction() as connection:
            self.sources = SourceKeys(configured_sources, urls.source_names(connection))
            for poll in self.polls.values():
                with _one_origin(poll):
                    poll.begin(connection, scope, now)
        self.requests += _by_turns(
            request for poll in self.polls.values() for request in poll.requests(now)
        )

    def fetch(self, fetcher: Fetcher, until: float, *, follows_pages: bool) -> None:
        """Request what is due, and what the responses name, until nothing or no time is left."""
        while True:
            seconds = until - time.monotonic()
            for request, answer in fetcher.fetch_all(_Taken(self.requests), self._parse, seconds):
                self._receive(request, answer)
                if self.unsaved >= BATCH or time.monotonic() - self.saved_at > MAX_SECONDS_UNSAVED:
                    self._save(follows_pages=follows_pages)
            # The last responses may have named more.
            self._save(follows_pages=follows_pages and not fetcher.is_cancelled)
            if not self.requests or fetcher.is_cancelled:
                return

    def _receive(self, request: Request, answer: ParsedResponse | FetchError) -> None:
        name, url = request.key
        poll, now = self.polls[name], self.clock()
        with _one_origin(poll):
            outcome = poll.receive(self.transaction, url, answer, now)
            next_page = poll.next_page(outcome, now)
            if next_page is not None:
                self.requests.append(next_page)
            self.unsaved += 1 + len(outcome.reading.copies)
        self.report(name, poll.summary.done, len(poll.due))

    def _save(self, *, follows_pages: bool) -> None:
        """Save what has come since the last time, and request the pages that it names."""
        found = [
            (poll, *batch) for poll in self.polls.values() if (batch := poll.batch()) is not None
        ]
        self.unsaved, self.saved_at = 0, time.monotonic()
        stored = batches.store_all(
            self.transaction,
            [(batch, places) for _, batch, places in found],
            self.rules,
            self.number,
            self.clock(),
        )
        for (poll, _, _), changes in zip(found, stored, strict=True):
            poll.summary.count(changes)
        if follows_pages:
            self._add_pages([batch for _, batch, _ in found])

    def finish(self) -> None:
        """Save that the origins were polled."""
        now = self.clock()
        with self.transaction() as connection:
            for name, poll in self.polls.items():
                if not poll.has_failed:
                    save_origin(connection, name, poll.origin.rules, now)
                    poll.finish()

    def _parse(self, request: Request, response: Response) -> ParsedResponse:
        """Parse a response: in many threads at once, so without the store."""
        name, url = request.key
        poll = self.polls[name]
        return responses.parse(poll.origin, poll.due[url], response, self.sources, self.clock())

    def _add_pages(self, saved: list[Batch]) -> None:
        """Request the share pages that others have just named, if these are polled as well."""
        now = self.clock()
        shares = self.polls.get(SHARES)
        if shares is None or shares.has_failed:
            return
        with self.transaction() as connection:
            for batch in saved:
                if batch.origin != SHARES and batch.copies:
                    self.requests += shares.add_pages(connection, batch, now)


class _Taken(Iterator[Request]):
    """Requests as they are taken from a queue; others may be added at any time."""

    def __init__(self, waiting: deque[Request]) -> None:
        self._waiting = waiting

    def __next__(self) -> Request:
        if not self._waiting:
            raise StopIteration
        return self._waiting.popleft()


@contextlib.contextmanager
def _one_origin(poll: OriginPoll) -> Iterator[None]:
    """Make an error of one origin its failure, so that it stops no other."""
    try:
        yield
    except OriginError as error:
        poll.fail(str(error))
    except (AggregatorError, *SQL_ERRORS):
        raise  # the store's errors are everybody's
    except Exception as error:  # noqa: BLE001  # one origin stops no other
        LOGGER.debug("%s", poll.origin.name, exc_info=True)
        poll.fail(f"{poll.origin.name}: cannot be polled ({unforeseen(error)})")


def _by_turns(requests: Iterable[Request]) -> Iterator[Request]:
    """Yield a request of each host in turn, so that no host with many fills the queue."""
    hosts: dict[str, deque[Request]] = {}
    for request in requests:
        hosts.setdefault(host_of(request.url), deque()).append(request)
    while hosts:
        for host, waiting in list(hosts.items()):
            yield waiting.popleft()
            if not waiting:
                del hosts[host]
