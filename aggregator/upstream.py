"""One poll of the upstream: what is due is asked, and what comes goes into the ledger.

The network runs in the fetcher's threads; everything here has one writer (design §3).
"""

from __future__ import annotations

import datetime
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from aggregator import ledger, pacing
from aggregator.errors import FetchError, OriginError, PostponedError, UnusableError
from aggregator.fetch import Fetcher
from aggregator.ledger import MergeRules
from aggregator.model import Batch, OriginSummary, Problem, Request, Response, UrlState
from aggregator.origins.interface import Reading, UpstreamOrigin
from aggregator.origins.shares import SharePages
from aggregator.sources import SourceKeys
from aggregator.store import reads, urls, writes
from aggregator.store.reads import Transaction

Clock = Callable[[], datetime.datetime]
Progress = Callable[[str, int, int], None]
BATCH = 200
MAX_SECONDS_UNSAVED = 1.0
MAX_PAGES = 50
MAX_NEW_ENTRIES = 1000
_NOTHING = Reading()


@dataclass(frozen=True, slots=True)
class Ask:
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
    ask: Ask,
    progress: Progress = lambda origin, done, total: None,
) -> list[OriginSummary]:
    """Ask every origin's due URLs, and merge what they answer, batch by batch.

    `number` is that of the poll; a poll that is killed is gone on with by the next one.
    Without a fetcher nothing is asked, and the summaries say what is due.  One bad URL
    is a problem, an origin none of whose URLs answered a failure.
    """
    summaries = []
    for origin in origins:
        summary = OriginSummary(name=origin.name)
        summaries.append(summary)
        poller = _Poller(transaction, fetcher, origin, rules, number, clock, ask, summary)
        try:
            poller.poll(configured_sources, progress)
        except OriginError as error:
            summary.failures.append(str(error))
    return summaries


@dataclass(slots=True)
class _Answer:
    """What an answer makes of a URL: its new state, and the rest of a batch."""

    state: UrlState
    reading: Reading = _NOTHING
    trouble: str | None = None
    is_read: bool = True


@dataclass(slots=True)
class _Poller:
    """The poll of one origin."""

    transaction: Transaction
    fetcher: Fetcher | None
    origin: UpstreamOrigin
    rules: MergeRules
    number: int
    clock: Clock
    ask: Ask
    summary: OriginSummary
    is_reread: bool = False
    answers: list[_Answer] = field(default_factory=list)
    flushed: float = 0.0

    def poll(self, configured_sources: Mapping[str, str], progress: Progress) -> None:
        """Ask what is due, in rounds: a list's next page is asked after its first."""
        origin, now = self.origin, self.clock()
        with self.transaction() as connection:
            known = reads.origin_rules(connection, origin.name)
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
            requests = self._requests(due, now)
            self.flushed = time.monotonic()
            for url, answer in self._asked(requests):
                result = self._answer(due[url], answer, sources)
                self._keep(result)
                next_url = result.reading.next_url
                if next_url is not None and next_url not in pages:
                    pages[next_url] += 1
                    following[next_url] = UrlState(next_url, now)
                progress(origin.name, self.summary.asked + self.summary.skipped.total(), total)
            self._flush()
            if len(pages) >= MAX_PAGES and following:
                reason = f"its list goes on after {MAX_PAGES} pages: stopped there"
                self._save(Batch(origin.name, problems=(Problem(next(iter(following)), reason),)))
                break
            due, total = following, total + len(following)
        with self.transaction() as connection:
            writes.save_origin(connection, origin.name, origin.rules, self.clock())
        if self.summary.failed and not self.summary.answered:
            self.summary.failures.append(
                f"{origin.name}: none of {self.summary.failed:,} could be read: "
                f"{self.summary.first_trouble}"
            )

    def _due(self, now: datetime.datetime) -> dict[str, UrlState]:
        """The URLs to ask now, with what is known of them: new ones last read first."""
        origin = self.origin
        named = origin.named_urls()
        with self.transaction() as connection:
            wanted = dict.fromkeys(named)
            if isinstance(origin, SharePages):
                recent = urls.recent_share_urls(connection, now - origin.window, origin.name)
                wanted |= dict.fromkeys(urls.due_once(connection, origin.name))
                wanted |= dict.fromkeys(
                    url
                    for url, published in recent.items()
                    if origin.is_recent(url, published, now)
                )
            if self.ask.only:
                if isinstance(origin, SharePages):
                    wanted |= dict.fromkeys(url for url in self.ask.only if origin.matches(url))
                wanted = {url: None for url in wanted if url in self.ask.only}
            known = urls.states(connection, origin.name, wanted)
        ask_all = self.ask.everything or bool(self.ask.only)
        return {
            url: known.get(url) or UrlState(url, now)
            for url in wanted
            if pacing.is_due(known.get(url), now, ask_all=ask_all)
        }

    def _requests(
        self, due: Mapping[str, UrlState], now: datetime.datetime
    ) -> Iterator[tuple[str, Request]]:
        """What to send for each URL."""
        for url, state in due.items():
            address = self.origin.address(url)
            if address is None:
                self.summary.skipped["no pattern of shares: match: fits"] += 1
                continue
            yield (
                url,
                pacing.request(
                    state,
                    address,
                    now,
                    accept=self.origin.accept,
                    heed_robots=self.origin.heeds_robots(url),
                ),
            )

    def _asked(
        self, requests: Iterator[tuple[str, Request]]
    ) -> Iterator[tuple[str, Response | FetchError]]:
        """Every URL and its answer, as they come."""
        names: dict[int, str] = {}

        def sent() -> Iterator[Request]:
            for url, request in requests:
                names[id(request)] = url
                yield request

        if self.fetcher is not None:
            for request, answer in self.fetcher.fetch_all(sent()):
                yield names.pop(id(request)), answer

    def _answer(
        self,
        state: UrlState,
        answer: Response | FetchError,
        sources: SourceKeys,
    ) -> _Answer:
        """What an answer, or none, makes of a URL; counted in the summary."""
        now = self.clock()
        pace = self.origin.pace(state.url)
        if isinstance(answer, PostponedError):
            self.summary.skipped[answer.reason] += 1
            later = now + datetime.timedelta(seconds=answer.wait)
            return _Answer(replace(state, next_at=max(state.next_at, later)), is_read=False)
        if isinstance(answer, FetchError):
            if answer.was_asked:
                self.summary.asked += 1
            else:
                self.summary.skipped[answer.reason] += 1
            return self._failed(state, answer.reason, pace, now)
        self.summary.asked += 1
        if answer.status == 304:
            if not state.content_hash:
                return self._failed(state, "304, though nothing was read before", pace, now, answer)
            self.summary.not_modified += 1
            return _Answer(
                pacing.after_success(state, answer, pace, now, None), is_read=bool(state.trouble)
            )
        if answer.status == 410:
            return self._failed(state, "gone for good (410): not asked again", pace, now, answer)
        if not 200 <= answer.status < 300:
            return self._failed(state, f"answered {answer.status}", pace, now, answer)
        content_hash = hashlib.blake2b(answer.body or b"", digest_size=16).digest()
        if content_hash == state.content_hash and not state.trouble:
            self.summary.not_modified += 1
            return _Answer(
                pacing.after_success(state, answer, pace, now, content_hash), is_read=False
            )
        try:
            if not (answer.body or b"").strip():
                raise UnusableError("an empty answer")
            reading = self.origin.read(state.url, answer, sources, now)
        except UnusableError as error:
            return self._failed(state, error.reason, pace, now, answer)
        self.summary.read += 1
        return self._capped(_Answer(
            pacing.after_success(state, answer, pace, now, content_hash), reading
        ))  # fmt: skip

    def _failed(
        self,
        state: UrlState,
        reason: str,
        pace: pacing.Pace,
        now: datetime.datetime,
        response: Response | None = None,
    ) -> _Answer:
        self.summary.failed += 1
        self.summary.first_trouble = self.summary.first_trouble or f"{state.url}: {reason}"
        return _Answer(pacing.after_failure(state, reason, pace, now, response), trouble=reason)

    def _capped(self, answer: _Answer) -> _Answer:
        """At most so many new entries of one URL a poll; the next poll takes the rest."""
        copies = answer.reading.copies
        if len(copies) <= MAX_NEW_ENTRIES:
            return answer
        with self.transaction() as connection:
            known = reads.articles_of(connection, [copy.code for copy in copies])
        new = sorted(
            (copy for copy in copies if copy.code not in known),
            key=lambda copy: copy.published_guess,
            reverse=True,
        )
        late = {copy.location for copy in new[MAX_NEW_ENTRIES:]}
        if not late:
            return answer
        reason = f"{len(late):,} of {len(new):,} new entries are left for the next polls"
        reading = replace(
            answer.reading,
            copies=tuple(copy for copy in copies if copy.location not in late),
            problems=(*answer.reading.problems, Problem(answer.state.url, reason)),
        )
        return replace(answer, reading=reading, state=replace(answer.state, content_hash=b""))

    def _keep(self, answer: _Answer) -> None:
        self.answers.append(answer)
        if len(self.answers) >= BATCH or time.monotonic() - self.flushed > MAX_SECONDS_UNSAVED:
            self._flush()

    def _flush(self) -> None:
        """Save what came since the last time, each URL's state with its copies."""
        answers, self.answers = self.answers, []
        self.flushed = time.monotonic()
        if not answers:
            return
        problems = [
            problem for answer in answers for problem in answer.reading.problems
        ] + [
            Problem(answer.state.url, answer.trouble) for answer in answers if answer.trouble
        ]  # fmt: skip
        copies = {copy.location: copy for answer in answers for copy in answer.reading.copies}
        self._save(
            Batch(
                self.origin.name,
                copies=tuple(copies.values()),
                problems=tuple(problems),
                read=tuple(answer.state.url for answer in answers if answer.is_read),
                urls=tuple(answer.state for answer in answers),
                pages=tuple(page for answer in answers for page in answer.reading.pages),
                is_reread=self.is_reread,
            )
        )

    def _save(self, batch: Batch) -> None:
        with self.transaction() as connection:
            changes = ledger.apply(connection, batch, self.rules, self.number, self.clock())
        self.summary.count(changes)
