"""One origin in a poll: its due URLs, and what has come of them but is not yet saved."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from aggregator.fetch import pacing
from aggregator.fetch.addresses import is_plain
from aggregator.fetch.session import host_of
from aggregator.model.articles import Problem
from aggregator.model.errors import FetchError, masked
from aggregator.model.polls import Batch, Request, UrlState
from aggregator.model.summaries import OriginSummary
from aggregator.origins.interface import UpstreamOrigin
from aggregator.poll import responses
from aggregator.poll.responses import Outcome, ParsedResponse
from aggregator.store import problems as open_problems
from aggregator.store import urls
from aggregator.store.articles import articles_of
from aggregator.store.origins import origin_rules
from aggregator.store.rows import Transaction

MAX_PAGES = 50
MAX_NEW_ENTRIES = 1000
GONE = "status 410 (gone): aggregator poll URL tries one again"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which URLs to request: those that are due, `everything`, or only `only`."""

    everything: bool = False
    only: frozenset[str] = frozenset()


ALL_DUE = Scope()


@dataclass(slots=True)
class OriginPoll:
    """The poll of one origin; `due` are the URLs to request, with their states."""

    origin: UpstreamOrigin
    summary: OriginSummary
    due: dict[str, UrlState] = field(default_factory=dict)
    has_failed: bool = False
    _outcomes: list[Outcome] = field(default_factory=list)
    _problems: list[Problem] = field(default_factory=list)
    _stale: tuple[str, ...] = ()
    _pages: set[str] = field(default_factory=set)

    def begin(self, connection: Connection, scope: Scope, now: datetime.datetime) -> None:
        """Find the URLs to request.  Raises `OriginError` if the origin cannot say them."""
        origin = self.origin
        wanted = dict.fromkeys(origin.named_urls())
        known = origin_rules(connection, origin.name)
        if known is not None and known != origin.rules:
            urls.forget_validators(connection, origin.name)
        if origin.window is not None:
            wanted |= dict.fromkeys(urls.due_once(connection, origin.name))
            wanted |= self._recent(connection, origin.window, now)
        if scope.only:
            wanted |= dict.fromkeys(url for url in scope.only if origin.accepts(url))
            wanted = {url: None for url in wanted if url in scope.only}
        else:
            # A URL that is no longer polled can't be fixed, and is not a problem either.
            stale = set(open_problems.locations(connection, origin.name)) - wanted.keys()
            self._stale = tuple(sorted(stale))
        states = urls.states(connection, origin.name, wanted)
        gone = sum(state.is_gone for state in states.values())
        if gone and scope.everything and not scope.only:
            self.summary.skipped[GONE] += gone
        self.due = {
            url: states.get(url) or UrlState(url, now)
            for url in wanted
            if is_due(origin, states.get(url), now, scope)
        }
        self.summary.due += self.due

    def requests(self, now: datetime.datetime) -> Iterator[Request]:
        """Yield the request for each URL that is due; see `request`."""
        for url in self.due:
            request = self.request(url, now)
            if request is not None:
                yield request

    def request(self, url: str, now: datetime.datetime) -> Request | None:
        """Return the request for a URL, with the origin's name and the URL as its key.

        None, and a line in the summary, if the origin has no address for it.
        """
        address = self.origin.address(url) if is_plain(url) else url
        if address is None:
            self.summary.skipped["no pattern of shares: match: fits"] += 1
            return None
        return pacing.request(
            self.due[url],
            address,
            now,
            accept=self.origin.accept,
            obey_robots=self.origin.obeys_robots(url),
            client=self.origin.client(url),
            key=(self.origin.name, url),
        )

    def add_pages(
        self, connection: Connection, batch: Batch, now: datetime.datetime
    ) -> list[Request]:
        """Add the share pages that another origin's batch names, if they are due.

        Return the requests.
        """
        origin = self.origin
        wanted = dict.fromkeys(batch.pages)
        if origin.window is not None:
            codes = {copy.code for copy in batch.copies}
            wanted |= self._recent(connection, origin.window, now, codes)
        new = [url for url in wanted if url not in self.due and origin.accepts(url)]
        states = urls.states(connection, origin.name, new)
        new = [url for url in new if is_due(origin, states.get(url), now)]
        self.due |= {url: states.get(url) or UrlState(url, now) for url in new}
        self.summary.due += new
        return [request for url in new if (request := self.request(url, now)) is not None]

    def add(
        self, url: str, state: UrlState | None, now: datetime.datetime, host: str
    ) -> Request | None:
        """Add a URL that is due, for the job of a host; return its request.

        None if it is under way already, or is requested from another host: it may have moved
        there after the job was made, and is left to the job of that host.
        """
        if url in self.due:
            return None
        self.due[url] = state or UrlState(url, now)
        request = self.request(url, now)
        if request is None or host_of(request.url) != host:
            del self.due[url]
            return None
        if self.origin.window is None and url in self.origin.named_urls():
            self._pages.clear()
        return request

    def note_stale(self, locations: Collection[str]) -> None:
        """Let the next batch end the problems at locations that the origin no longer names."""
        if self.origin.window is None:
            self._stale = tuple(sorted(set(locations) - set(self.origin.named_urls())))

    def take_summary(self) -> OriginSummary:
        """Return what was done since the last time, and forget it and what is saved."""
        summary, self.summary = self.summary, OriginSummary(name=self.origin.name)
        return summary

    def receive(
        self,
        transaction: Transaction,
        url: str,
        answer: ParsedResponse | FetchError,
        now: datetime.datetime,
    ) -> Outcome:
        """Take in a response or an error; return what became of the URL."""
        outcome = responses.outcome(answer, self.due[url], self.origin.pace(url), now)
        if len(outcome.reading.copies) > MAX_NEW_ENTRIES:
            with transaction() as connection:
                outcome = _capped(connection, outcome)
        self._count(outcome)
        self._outcomes.append(outcome)
        return outcome

    def next_page(self, outcome: Outcome, now: datetime.datetime) -> Request | None:
        """Return the request for the next page of a list, None if there is none."""
        url = outcome.reading.next_url
        if url is None or url in self._pages:
            return None
        if len(self._pages) + 1 >= MAX_PAGES:
            reason = f"its list goes on after {MAX_PAGES} pages: stopped there"
            self._problems.append(Problem(url, reason))
            return None
        self._pages.add(url)
        self.due[url] = UrlState(url, now)
        return self.request(url, now)

    def batch(self) -> tuple[Batch, Mapping[str, str]] | None:
        """Return what has come since the last time, None if nothing has.

        Each URL's state goes with its copies.  The mapping has the URL of each copy by its
        location.
        """
        outcomes, self._outcomes = self._outcomes, []
        stale, self._stale = self._stale, ()
        problems, self._problems = self._problems, []
        if not (outcomes or stale or problems):
            return None
        problems += [problem for outcome in outcomes for problem in outcome.reading.problems]
        problems += [
            Problem(outcome.state.url, outcome.problem)
            for outcome in outcomes
            if outcome.problem is not None and outcome.kind != "postponed"
        ]
        # A URL that was not requested, or is not modified, keeps its problems.
        read = [
            outcome.state.url
            for outcome in outcomes
            if outcome.kind in ("read", "failed", "refused") or outcome.is_over
        ]
        found = [(copy, outcome) for outcome in outcomes for copy in outcome.reading.copies]
        batch = Batch(
            self.origin.name,
            copies=tuple({copy.location: copy for copy, _ in found}.values()),
            problems=tuple(problems),
            read=(*stale, *read),
            urls=tuple(outcome.state for outcome in outcomes),
            pages=tuple(page for outcome in outcomes for page in outcome.reading.pages),
            lists=tuple(
                (outcome.state.url, outcome.reading.document)
                for outcome in outcomes
                if outcome.reading.document is not None
            ),
        )
        return batch, {copy.location: outcome.state.url for copy, outcome in found}

    def fail(self, reason: str) -> None:
        """Record that the origin as a whole could not be polled."""
        self.has_failed = True
        self.summary.failures.append(reason)

    def finish(self) -> None:
        """Record a failure if no URL could be read."""
        summary = self.summary
        if summary.failed and not summary.succeeded:
            summary.failures.append(
                f"{masked(self.origin.name)}: none of {summary.failed:,} could be read: "
                f"{summary.first_problem}"
            )

    def _recent(
        self,
        connection: Connection,
        window: datetime.timedelta,
        now: datetime.datetime,
        codes: Collection[str] | None = None,
    ) -> dict[str, None]:
        """Return the share URLs of recent articles: of all, or of those with the given codes."""
        name = self.origin.name
        found = urls.recent_share_urls(connection, now - window, name, codes)
        return dict.fromkeys(
            url for url, published in found.items() if self.origin.is_recent(url, published, now)
        )

    def _count(self, outcome: Outcome) -> None:
        summary, problem = self.summary, outcome.problem or ""
        summary.requested += outcome.kind in ("read", "not modified", "failed")
        summary.read += outcome.kind == "read"
        summary.not_modified += outcome.kind == "not modified"
        summary.failed += outcome.kind == "failed"
        if outcome.kind in ("refused", "postponed"):
            summary.skipped[problem] += 1
        if outcome.kind in ("failed", "refused") and not summary.first_problem:
            summary.first_problem = f"{masked(outcome.state.url)}: {problem}"


def is_due(
    origin: UpstreamOrigin, state: UrlState | None, now: datetime.datetime, scope: Scope = ALL_DUE
) -> bool:
    """Return whether a URL of an origin is due: at any time if it is urgent and did not fail."""
    if state is not None and origin.is_urgent and not state.failures:
        return True
    return pacing.is_due(state, now, ask_all=scope.everything, is_named=bool(scope.only))


def _capped(connection: Connection, outcome: Outcome) -> Outcome:
    """Return an outcome with so many new entries at most; the next polls take the rest."""
    copies = outcome.reading.copies
    known = articles_of(connection, [copy.code for copy in copies])
    new = sorted(
        (copy for copy in copies if copy.code not in known),
        key=lambda copy: copy.published_guess,
        reverse=True,
    )
    late = {copy.location for copy in new[MAX_NEW_ENTRIES:]}
    if not late:
        return outcome
    reason = f"{len(late):,} of {len(new):,} new entries are left for the next polls"
    reading = replace(
        outcome.reading,
        copies=tuple(copy for copy in copies if copy.location not in late),
        problems=(*outcome.reading.problems, Problem(outcome.state.url, reason)),
    )
    return replace(outcome, reading=reading, state=replace(outcome.state, content_hash=b""))
