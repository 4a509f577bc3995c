"""Request every list and subscription once, and say what each of them is; nothing is stored."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from aggregator.articles.sources import SourceKeys
from aggregator.config.schema import Settings
from aggregator.model.errors import masked
from aggregator.model.polls import Request, Response, UrlState
from aggregator.origins import from_settings
from aggregator.origins.feed_list import FeedListOrigin
from aggregator.origins.parsers.readers import Readers
from aggregator.poll import responses
from aggregator.poll.responses import ParsedResponse

_KINDS = ("lists", "subscriptions")


@dataclass(frozen=True, slots=True)
class UpstreamCheck:
    """What an origin's URL answered: the number of its entries, or why it cannot be used.

    A list of feeds has a number of `feeds` instead.  `notes` are the problems of single entries.
    """

    origin: str
    entries: int
    feeds: int
    problem: str | None
    notes: tuple[str, ...]


def check_upstream(settings: Settings) -> Iterator[UpstreamCheck]:
    """Yield the result of each list and subscription, as they come.

    All limits of polls hold: robots.txt, the pace of a host, timeouts, public addresses.
    """
    from aggregator.fetch.fetcher import Fetcher

    now = datetime.datetime.now(datetime.UTC)
    sources = SourceKeys(from_settings.source_keys(settings), {})
    with Readers() as readers, Fetcher(settings.fetch, settings.user_agent) as fetcher:
        origins = {
            origin.name: origin
            for origin in from_settings.upstream_origins(settings, readers, _KINDS)
        }
        for origin in origins.values():
            if isinstance(origin, FeedListOrigin):
                origin.saves = False
        requests = [
            Request(
                url,
                accept=origin.accept,
                obey_robots=origin.obeys_robots(url),
                key=(name, UrlState(url, now)),
                client=origin.client(url),
            )
            for name, origin in origins.items()
            for url in origin.named_urls()
        ]

        def parse(request: Request, response: Response) -> ParsedResponse:
            name, state = request.key
            return responses.parse(origins[name], state, response, sources, now)

        for request, answer in fetcher.fetch_all(requests, parse):
            name, state = request.key
            outcome = responses.outcome(answer, state, origins[name].pace(state.url), now)
            yield UpstreamCheck(
                masked(name),
                len(outcome.reading.copies),
                outcome.reading.feeds,
                outcome.problem,
                tuple(problem.reason for problem in outcome.reading.problems),
            )
