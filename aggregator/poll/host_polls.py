"""Poll the upstream host by host, for machines that share the work.

A host's URLs are requested by one machine at a time.  The responses of all hosts are merged
into the store together, once a second, since there is one writer at a time.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from aggregator.articles.sources import SourceKeys
from aggregator.fetch.fetcher import Fetcher
from aggregator.fetch.robots import site_of
from aggregator.fetch.session import Session, host_of
from aggregator.model.errors import (
    AggregatorError,
    FetchError,
    PostponedError,
    StoreError,
    masked,
    unforeseen,
)
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Request, Response, Validators
from aggregator.model.summaries import OriginSummary
from aggregator.origins.interface import UpstreamOrigin
from aggregator.poll import batches, responses
from aggregator.poll.due_hosts import Place
from aggregator.poll.ingest import MergeRules
from aggregator.poll.origin_poll import OriginPoll, is_due
from aggregator.poll.responses import ParsedResponse
from aggregator.poll.upstream import BATCH, MAX_SECONDS_UNSAVED, Clock
from aggregator.store import problems, robots, urls
from aggregator.store.origins import last_poll, origins_rules, save_origin
from aggregator.store.rows import SQL_ERRORS, Transaction

# Seconds until names of sources that other machines have stored are looked up again.
SOURCES_EVERY = 300.0
# Seconds until a host is tried again that did not respond, or had no time left.
SHORTEST_PAUSE = 60.0
# Seconds after `stop` in which responses may come.
DRAIN_WITHIN = 4.0
_WAIT = 1.0


@dataclass(slots=True)
class HostJob:
    """URLs of one host to request, each with the name of its origin.

    `finished` is called from the thread of the polls, with the seconds for which no other machine
    may send requests to the host, or with the error that ended them.
    """

    host: str
    places: Sequence[Place]
    finished: Callable[[float | Exception], None]
    left: set[Place] = field(default_factory=set)
    requested: set[Place] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved: the origins with what changed, and pages of lists on other hosts.

    `names_pages`: share pages are named, which are due now.
    """

    origins: list[OriginSummary]
    elsewhere: dict[str, list[Place]]
    names_pages: bool


class HostPolls:
    """The hosts that this machine polls.  `submit` and `stop` may be called by any thread."""

    def __init__(
        self,
        transaction: Transaction,
        reading: Callable[[], AbstractContextManager[Connection]],
        fetcher: Fetcher,
        origins: Sequence[UpstreamOrigin],
        rules: MergeRules,
        configured_sources: Mapping[str, str],
        clock: Clock,
        saved: Callable[[Saved], None],
        may_send: Callable[[], bool],
    ) -> None:
        """Begin; `may_send` says whether the hosts still belong to this machine."""
        self._transaction, self._reading, self._fetcher = transaction, reading, fetcher
        self._polls = {
            origin.name: OriginPoll(origin, OriginSummary(name=origin.name)) for origin in origins
        }
        self._rules, self._configured_sources = rules, configured_sources
        self._clock, self._saved, self._may_send = clock, saved, may_send
        self._sources = SourceKeys(configured_sources, {})
        self._sources_until = 0.0
        self._session: Session[ParsedResponse] = fetcher.session(self._parse, may_send)
        self._inbox: deque[HostJob] = deque()
        self._jobs: dict[str, HostJob] = {}
        self._elsewhere: dict[str, list[Place]] = {}
        self._unsaved, self._saved_at = 0, time.monotonic()
        self._stops_at: float | None = None
        self._end: Exception | None = None

    def hosts(self) -> list[str]:
        """Return the hosts that are polled now.  Any thread may call this."""
        return list(self._jobs)

    def submit(self, job: HostJob) -> None:
        """Poll a host; the job's `finished` is called when what came of it is saved."""
        self._inbox.append(job)
        if self._end is not None:
            self._refuse(self._end)
        self._session.wake()

    def stop(self) -> None:
        """Send nothing more, and save what comes soon of what was sent: `run` returns then."""
        self._stops_at = time.monotonic() + DRAIN_WITHIN
        self._session.wake()

    def run(self, beat: Callable[[], None]) -> None:
        """Poll until `stop`, or until the hosts no longer belong to this machine.

        `beat` is called at least every second.  All jobs are finished then, and what was not
        saved is requested again.  Raises what the store raises.
        """
        error: Exception = StoreError("the hosts of this machine are given to others")
        try:
            while self._may_send() and not self._is_drained():
                beat()
                self._turn()
            if self._may_send():
                self._save()
        except Exception as cause:
            error = cause
            raise
        finally:
            self._session.stop()
            for job in self._jobs.values():
                job.finished(error)
            self._end = error
            self._refuse(error)

    def _refuse(self, error: Exception) -> None:
        """Finish the jobs that came too late; two threads may do so at once."""
        with contextlib.suppress(IndexError):
            while True:
                self._inbox.popleft().finished(error)

    def _is_drained(self) -> bool:
        if self._stops_at is None:
            return False
        return not self._session.outstanding or time.monotonic() > self._stops_at

    def _turn(self) -> None:
        if self._stops_at is not None:
            self._session.close_all()
        elif self._inbox:
            self._take_in()
        result = self._session.next(_WAIT)
        if result is not None:
            self._receive(*result)
        is_late = time.monotonic() - self._saved_at > MAX_SECONDS_UNSAVED
        is_enough = self._unsaved >= BATCH or is_late or not self._session.outstanding
        if self._jobs and is_enough:
            self._save()

    def _take_in(self) -> None:
        """Request what is still due of the jobs that have come."""
        jobs = [self._inbox.popleft() for _ in range(len(self._inbox))]
        for job in jobs:
            if job.host in self._jobs:
                raise RuntimeError(f"{job.host}: two jobs at a time")
            self._jobs[job.host] = job
        now = self._clock()
        wanted = [place for job in jobs for place in job.places if place[0] in self._polls]
        names = {name for name, _ in wanted}
        with self._reading() as connection:
            known = urls.states_of(connection, wanted)
            rules = origins_rules(connection, names)
            stale = problems.locations_of(connection, names)
            if time.monotonic() > self._sources_until:
                names_in_store = urls.source_names(connection)
                self._sources = SourceKeys(self._configured_sources, names_in_store)
                self._sources_until = time.monotonic() + SOURCES_EVERY
            requests = []
            for job in jobs:
                for place in job.places:
                    poll = self._polls.get(place[0])
                    state = known.get(place)
                    if poll is None or place in job.left or not is_due(poll.origin, state, now):
                        continue
                    if state is not None and rules.get(place[0]) not in (None, poll.origin.rules):
                        state = replace(state, validators=Validators(), content_hash=b"")
                    request = poll.add(place[1], state, now, job.host)
                    if request is not None:
                        requests.append(request)
                        job.left.add(place)
                        job.requested.add(place)
            for name, locations in stale.items():
                self._polls[name].note_stale(locations)
            sites = {site_of(request.url) for request in requests if request.obey_robots}
            self._fetcher.robots_files.add(robots.load(connection, sites))
        for request in requests:
            self._add(request)

    def _add(self, request: Request) -> None:
        postponed = self._session.add(request)
        if postponed is not None:
            self._receive(request, postponed)

    def _receive(self, request: Request, answer: ParsedResponse | FetchError) -> None:
        name, url = request.key
        poll, now = self._polls[name], self._clock()
        job = self._jobs[host_of(request.url)]
        if isinstance(answer, PostponedError):
            if self._stops_at is not None:
                job.left.discard(request.key)
                return
            pause = max(answer.wait, SHORTEST_PAUSE)
            answer = PostponedError(answer.url, answer.reason, pause)
        try:
            outcome = poll.receive(self._reading, url, answer, now)
        except (AggregatorError, *SQL_ERRORS):
            raise  # the store's errors are everybody's
        except Exception as error:  # noqa: BLE001  # one URL stops no other
            LOGGER.debug("%s", masked(url), exc_info=True)
            failure = FetchError(url, f"cannot be read ({unforeseen(error)})")
            outcome = poll.receive(self._reading, url, failure, now)
        page = poll.next_page(outcome, now)
        if page is not None and host_of(page.url) == job.host:
            job.left.add(page.key)
            job.requested.add(page.key)
            self._add(page)
        elif page is not None:
            self._elsewhere.setdefault(host_of(page.url), []).append(page.key)
            poll.due.pop(page.key[1], None)
        job.left.discard(request.key)
        self._unsaved += 1 + len(outcome.reading.copies)

    def _save(self) -> None:
        """Save what has come since the last time; finish the jobs of which nothing is left."""
        now = self._clock()
        found = [
            (poll, *batch) for poll in self._polls.values() if (batch := poll.batch()) is not None
        ]
        if found:
            with self._reading() as connection:
                number = last_poll(connection)
            pairs = [(batch, places) for _, batch, places in found]
            stored = batches.store_all(self._transaction, pairs, self._rules, number, now)
            for (poll, _, _), changes in zip(found, stored, strict=True):
                poll.summary.count(changes)
                if poll.origin.window is None:
                    poll.finish()
            renewed = self._fetcher.robots_files.take_renewed()
            with self._transaction() as connection:
                robots.save(connection, renewed, now)
                for poll, _, _ in found:
                    if poll.origin.window is None:
                        save_origin(connection, poll.origin.name, poll.origin.rules, now)
        self._unsaved, self._saved_at = 0, time.monotonic()
        summaries = [poll.take_summary() for poll, _, _ in found]
        elsewhere, self._elsewhere = self._elsewhere, {}
        for host in [host for host, job in self._jobs.items() if not job.left]:
            job = self._jobs.pop(host)
            for name, url in job.requested:
                self._polls[name].due.pop(url, None)
            job.finished(self._session.forget(host))
        if found or elsewhere:
            names_pages = any(batch.pages for _, batch, _ in found)
            self._saved(Saved(summaries, elsewhere, names_pages))

    def _parse(self, request: Request, response: Response) -> ParsedResponse:
        """Parse a response: in many threads at once, so without the store."""
        name, url = request.key
        poll = self._polls[name]
        return responses.parse(poll.origin, poll.due[url], response, self._sources, self._clock())
