"""One poll of the upstream: URLs that are due are requested, and responses merged.

The network runs in the fetcher's threads; everything here has one writer.
"""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aggregator.articles.sources import SourceKeys
from aggregator.fetch import pacing
from aggregator.fetch.addresses import is_plain
from aggregator.fetch.fetcher import Fetcher
from aggregator.model.articles import Problem
from aggregator.model.errors import (
    AggregatorError,
    FetchError,
    OriginError,
    masked,
    unforeseen,
)
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Batch, Request, Response, UrlState
from aggregator.model.summaries import OriginSummary
from aggregator.origins.interface import UpstreamOrigin
from aggregator.poll import batches, responses
from aggregator.poll.ingest import MergeRules
from aggregator.poll.responses import Outcome, ParsedResponse
from aggregator.store import problems as open_problems
from aggregator.store import urls
from aggregator.store.articles import articles_of
from aggregator.store.origins import origin_rules, save_origin
from aggregator.store.rows import Transaction

Clock = Callable[[], datetime.datetime]
Progress = Callable[[str, int, int], None]
BATCH = 200
MAX_SECONDS_UNSAVED = 1.0
MAX_PAGES = 50
MAX_NEW_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Scope:
    """Which URLs to ask: those that are due, `everything`, or only `only`."""

    everything: bool = False
    only: frozenset[str] = frozenset()


def poll(
    transaction: Transaction,
    fetcher: Fetcher | None,
    origins: Sequence[UpstreamOrigin],
    rules: MergeRules,
    configured_sources: Mapping[str, str],
    number: int,
    clock: Clock,
    scope: Scope,
    progress: Progress = lambda origin, done, total: None,
) -> list[OriginSummary]:
    """Request every origin's due URLs, and merge the responses, batch by batch.

    `number` is that of the poll; an interrupted poll is resumed by the next one.  Without a
    fetcher nothing is requested, and the summaries say what is due.  A bad URL is a problem;
    an origin of which no URL answered is a failure.
    """
    summaries = []
    for origin in origins:
        summary = OriginSummary(name=origin.name)
        summaries.append(summary)
        poller = _Poller(transaction, fetcher, origin, rules, number, clock, scope, summary)
        try:
            poller.poll(configured_sources, progress)
        except OriginError as error:
            summary.failures.append(str(error))
        except AggregatorError:
            raise
        except Exception as error:  # noqa: BLE001  # one origin stops no other
            LOGGER.debug("%s", origin.name, exc_info=True)
            summary.failures.append(f"{origin.name}: cannot be polled ({unforeseen(error)})")
    return summaries


@dataclass(slots=True)
class _Poller:
    """The poll of one origin."""

    transaction: Transaction
    fetcher: Fetcher | None
    origin: UpstreamOrigin
    rules: MergeRules
    number: int
    clock: Clock
    scope: Scope
    summary: OriginSummary
    is_reread: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    flushed: float = 0.0

    def poll(self, configured_sources: Mapping[str, str], progress: Progress) -> None:
        """Request what is due, in rounds: the next page of a list follows its first."""
        origin, now = self.origin, self.clock()
        with self.transaction() as connection:
            known = origin_rules(connection, origin.name)
            self.is_reread = known is not None and known != origin.rules
            if self.is_reread:
                urls.forget_validators(connection, origin.name)
            sources = SourceKeys(configured_sources, urls.source_names(connection))
        due = self._due(now)
        self.summary.due += due
        if self.fetcher is None:
            return
        total = len(due)
        pages = Counter[str]()
        while due:
            following: dict[str, UrlState] = {}
            self.flushed = time.monotonic()
            for url, answer in self._asked(due, now, sources):
                state = due[url]
                pace = self.origin.pace(url)
                outcome = self._capped(responses.outcome(answer, state, pace, self.clock()))
                self._count(outcome)
                self._keep(outcome)
                next_url = outcome.reading.next_url
                if next_url is not None and next_url not in pages:
                    pages[next_url] += 1
                    following[next_url] = UrlState(next_url, now)
                progress(origin.name, self.summary.requested + self.summary.skipped.total(), total)
            self._flush()
            if len(pages) >= MAX_PAGES and following:
                reason = f"its list goes on after {MAX_PAGES} pages: stopped there"
                self._save(Batch(origin.name, problems=(Problem(next(iter(following)), reason),)))
                break
            due, total = following, total + len(following)
        with self.transaction() as connection:
            save_origin(connection, origin.name, origin.rules, self.clock())
        if self.summary.failed and not self.summary.succeeded:
            self.summary.failures.append(
                f"{origin.name}: none of {self.summary.failed:,} could be read: "
                f"{self.summary.first_problem}"
            )

    def _due(self, now: datetime.datetime) -> dict[str, UrlState]:
        """Return the URLs to request now, with their states."""
        origin = self.origin
        named = origin.named_urls()
        with self.transaction() as connection:
            wanted = dict.fromkeys(named)
            if origin.window is not None:
                recent = urls.recent_share_urls(connection, now - origin.window, origin.name)
                wanted |= dict.fromkeys(urls.due_once(connection, origin.name))
                wanted |= dict.fromkeys(
                    url
                    for url, published in recent.items()
                    if origin.is_recent(url, published, now)
                )
            if self.scope.only:
                wanted |= dict.fromkeys(url for url in self.scope.only if origin.accepts(url))
                wanted = {url: None for url in wanted if url in self.scope.only}
            known = urls.states(connection, origin.name, wanted)
            stale = set(open_problems.locations(connection, origin.name)) - wanted.keys()
        if stale and not self.scope.only and self.fetcher is not None:
            # A URL that is no longer polled can't be fixed, and is not a problem either.
            self._save(Batch(origin.name, read=tuple(sorted(stale))))
        ask_all = self.scope.everything or bool(self.scope.only)
        return {
            url: known.get(url) or UrlState(url, now)
            for url in wanted
            if pacing.is_due(known.get(url), now, ask_all=ask_all)
        }

    def _requests(self, due: Mapping[str, UrlState], now: datetime.datetime) -> Iterator[Request]:
        """Yield the request for each URL, which is the request's key."""
        for url, state in due.items():
            address = self.origin.address(url) if is_plain(url) else url
            if address is None:
                self.summary.skipped["no pattern of shares: match: fits"] += 1
                continue
            yield pacing.request(
                state,
                address,
                now,
                accept=self.origin.accept,
                obey_robots=self.origin.obeys_robots(url),
            )

    def _asked(
        self, due: Mapping[str, UrlState], now: datetime.datetime, sources: SourceKeys
    ) -> Iterator[tuple[str, ParsedResponse | FetchError]]:
        """Yield every URL with its response or error, as these come."""

        def read(request: Request, response: Response) -> ParsedResponse:
            """Read a response: in many threads at once, so without the store."""
            return responses.parse(
                self.origin,
                due[request.key],
                response,
                sources,
                self.clock(),
            )

        if self.fetcher is not None:
            for request, answer in self.fetcher.fetch_all(self._requests(due, now), read):
                yield request.key, answer

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

    def _capped(self, outcome: Outcome) -> Outcome:
        """Return an outcome with so many new entries at most; the next polls take the rest."""
        copies = outcome.reading.copies
        if len(copies) <= MAX_NEW_ENTRIES:
            return outcome
        with self.transaction() as connection:
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

    def _keep(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        if len(self.outcomes) >= BATCH or time.monotonic() - self.flushed > MAX_SECONDS_UNSAVED:
            self._flush()

    def _flush(self) -> None:
        """Save what has come since the last time, each URL's state with its copies."""
        outcomes, self.outcomes = self.outcomes, []
        self.flushed = time.monotonic()
        if not outcomes:
            return
        problems = [problem for outcome in outcomes for problem in outcome.reading.problems]
        problems += [
            Problem(outcome.state.url, outcome.problem)
            for outcome in outcomes
            if outcome.problem is not None and outcome.kind != "postponed"
        ]
        copies = {copy.location: copy for outcome in outcomes for copy in outcome.reading.copies}
        self._save(
            Batch(
                self.origin.name,
                copies=tuple(copies.values()),
                problems=tuple(problems),
                # A URL that was not requested, or is not modified, keeps its problems.
                read=tuple(
                    outcome.state.url
                    for outcome in outcomes
                    if outcome.kind in ("read", "failed", "refused") or outcome.is_over
                ),
                urls=tuple(outcome.state for outcome in outcomes),
                pages=tuple(page for outcome in outcomes for page in outcome.reading.pages),
                is_reread=self.is_reread,
            ),
            {
                copy.location: outcome.state.url
                for outcome in outcomes
                for copy in outcome.reading.copies
            },
        )

    def _save(self, batch: Batch, places: Mapping[str, str] = batches.NOWHERE) -> None:
        self.summary.count(
            batches.store(self.transaction, batch, self.rules, self.number, self.clock(), places)
        )
