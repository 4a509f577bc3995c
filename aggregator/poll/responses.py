"""An answer of the upstream → what it says, and what is known of its URL from then on.

Pure, but that an origin may read a page in a process of its own.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Literal

from aggregator.articles.sources import SourceKeys
from aggregator.fetch import pacing
from aggregator.model.digests import digest
from aggregator.model.errors import FetchError, PostponedError, UnusableError, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Response, UrlState
from aggregator.origins.interface import Reading, UpstreamOrigin

Kind = Literal["read", "not modified", "failed", "refused", "postponed"]
_NOTHING = Reading()


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """An answer whose body has been read: what it says, or the problem with it.

    `is_same` marks a body that came before.
    """

    response: Response
    content_hash: bytes = b""
    reading: Reading = _NOTHING
    problem: str | None = None
    is_same: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a URL: of which kind, its new state, and what it said.

    "refused" and "postponed" URLs were not asked; `problem` is the reason for what gave
    nothing of use, and `is_over` says that the last time's problem is none any more.
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
    """ParsedResponse an answer's body."""
    if response.body is None:
        return ParsedResponse(response)
    content_hash = digest(response.body)
    is_same = content_hash == state.content_hash and not state.error
    reading, problem = _NOTHING, None
    if not is_same:
        try:
            if not response.body.strip():
                raise UnusableError("an empty answer")
            reading = origin.read(state.url, response, sources, now)
        except UnusableError as error:
            problem = error.reason
        except Exception as error:  # noqa: BLE001  # a defect of ours costs one answer
            LOGGER.debug("%s", state.url, exc_info=True)
            problem = f"it cannot be read ({unforeseen(error)})"
    # The body need not be kept until its turn.
    return ParsedResponse(replace(response, body=None), content_hash, reading, problem, is_same)


def outcome(
    answer: ParsedResponse | FetchError, state: UrlState, pace: pacing.Pace, now: datetime.datetime
) -> Outcome:
    """What an answer, or none, makes of a URL."""
    if isinstance(answer, PostponedError):
        later = now + datetime.timedelta(seconds=answer.wait)
        return Outcome(
            "postponed", replace(state, next_at=max(state.next_at, later)), problem=answer.reason
        )
    if isinstance(answer, FetchError):
        after = pacing.after_failure(state, answer.reason, pace, now)
        kind: Kind = "failed" if answer.was_sent else "refused"
        return Outcome(kind, after, problem=answer.reason)
    response = answer.response
    problem = _problem(answer, state)
    if problem is not None:
        after = pacing.after_failure(state, problem, pace, now, response)
        return Outcome("failed", after, problem=problem)
    if response.status == 304 or answer.is_same:
        content_hash = answer.content_hash if answer.is_same else None
        after = pacing.after_success(state, response, pace, now, content_hash)
        return Outcome("not modified", after, is_over=state.error is not None)
    after = pacing.after_success(state, response, pace, now, answer.content_hash)
    return Outcome("read", after, answer.reading)


def _problem(answer: ParsedResponse, state: UrlState) -> str | None:
    """Why an answer is of no use, None if it is of use."""
    status = answer.response.status
    if status == 304:
        return None if state.content_hash else "answered 304, though it was never read"
    if status == 410:
        return "gone for good (410): not asked again"
    if not 200 <= status < 300:
        return f"answered {status}"
    return answer.problem
