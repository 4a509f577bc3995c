"""A response of the upstream → its contents, and the new state of its URL.

Pure, except that an origin may parse a page in a child process.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Literal

from aggregator.articles.sources import SourceKeys
from aggregator.fetch import pacing
from aggregator.model.digests import digest
from aggregator.model.errors import FetchError, PostponedError, UnusableError, masked, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Cadence, Response, UrlState
from aggregator.origins.interface import Reading, UpstreamOrigin
from aggregator.poll.cadence import earliest

Kind = Literal["read", "not modified", "failed", "refused", "postponed"]
_NOTHING = Reading()


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """A response after parsing: its contents, or the problem with it.

    `is_same`: the body is the one read last.
    """

    response: Response
    content_hash: bytes = b""
    reading: Reading = _NOTHING
    problem: str | None = None
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of requesting a URL.

    "refused" and "postponed" URLs were not requested; `problem` is why nothing could be used;
    `is_over`: the URL's earlier problem is resolved.
    """

    kind: Kind
    state: UrlState
    reading: Reading = _NOTHING
    problem: str | None = None
    is_over: bool = False


def parse(
    origin: UpstreamOrigin,
    state: UrlState,
    response: Response,
    sources: SourceKeys,
    now: datetime.datetime,
) -> ParsedResponse:
    """Parse the body of a response."""
    if response.body is None:
        return ParsedResponse(response)
    content_hash = digest(response.body)
    is_same = content_hash == state.content_hash and not state.error
    reading, problem = _NOTHING, None
    if not is_same:
        try:
            if not response.body.strip():
                raise UnusableError("an empty response")
            reading = origin.read(state.url, response, sources, now)
        except UnusableError as error:
            problem = error.reason
        except Exception as error:  # noqa: BLE001  # a bug costs one response
            LOGGER.debug("%s", state.url, exc_info=True)
            problem = f"it cannot be read ({unforeseen(error)})"
    # The body is not needed while the result waits to be stored.
    return ParsedResponse(replace(response, body=None), content_hash, reading, problem, is_same)


def outcome(
    result: ParsedResponse | FetchError, state: UrlState, pace: pacing.Pace, now: datetime.datetime
) -> Outcome:
    """Return the outcome of a response or of an error."""
    if isinstance(result, PostponedError):
        later = now + datetime.timedelta(seconds=result.wait)
        return Outcome(
            "postponed", replace(state, next_at=max(state.next_at, later)), problem=result.reason
        )
    if isinstance(result, FetchError):
        after = pacing.after_failure(state, result.reason, pace, now)
        kind: Kind = "failed" if result.was_sent else "refused"
        return Outcome(kind, after, problem=result.reason)
    response = result.response
    problem = _problem(result, state)
    if problem is not None:
        after = pacing.after_failure(state, problem, pace, now, response)
        return Outcome("failed", after, problem=problem)
    if response.status == 304 or result.is_same:
        content_hash = result.content_hash if result.is_same else None
        after = pacing.after_success(state, response, pace, now, content_hash)
        after = _as_the_feed_wants(after, state.cadence, pace, now)
        return Outcome("not modified", after, is_over=state.error is not None)
    after = pacing.after_success(state, response, pace, now, result.content_hash)
    after = _as_the_feed_wants(after, result.reading.cadence, pace, now)
    reading = result.reading
    if state.read_at is not None and not state.content_hash:
        # Its validators were dropped, since the rules of reading have changed.
        copies = tuple(replace(copy, is_reread=True) for copy in reading.copies)
        reading = replace(reading, copies=copies)
    return Outcome("read", after, reading)


def _as_the_feed_wants(
    state: UrlState, cadence: Cadence | None, pace: pacing.Pace, now: datetime.datetime
) -> UrlState:
    """Return a state with the next request no sooner than the feed itself says."""
    if cadence is None and state.cadence is None:
        return state  # any page but a feed
    next_at = earliest(cadence, pace, state.next_at, now) if cadence else state.next_at
    return replace(state, cadence=cadence, next_at=next_at)


def _problem(result: ParsedResponse, state: UrlState) -> str | None:
    """Return why a response was rejected, None if it was accepted."""
    status = result.response.status
    if status == 304:
        return None if state.content_hash else "status 304, but the page was never read"
    if status == 410:
        command = f"aggregator poll {masked(state.url)}"
        return f"status 410 (gone): not requested again; to try it once more: {command}"
    if not 200 <= status < 300:
        return f"status {status}"
    return result.problem
