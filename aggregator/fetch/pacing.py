"""A response, the history of its URL and the policy → when to fetch it again.

Pure: `now` is passed in, and jitter is drawn from the URL, so that the same history
always gives the same time.
"""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aggregator.model.polls import Client, Request, Response, UrlState, Validators

NO_CLIENT = Client()
LONGEST_WAIT = datetime.timedelta(hours=24)
# Some servers answer 304 forever, whatever becomes of the page.
READ_ANEW = datetime.timedelta(days=7)
# One permanent redirect may be a mistake; the second in a row is believed.
BELIEVED_MOVES = 2
# A page that is to be fetched once is given up some days after its first failure.
MAX_TRIES_ONCE = 10
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,10})", re.IGNORECASE)
_NOT_FRESH = re.compile(r"(?:^|,)\s*(?:no-cache|no-store)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a URL is fetched: `every` so long, up to `longest` if its server says so.

    `is_own`: the user gave it for this very URL, so it outranks what a feed says of itself.
    """

    every: datetime.timedelta
    longest: datetime.timedelta = LONGEST_WAIT
    is_own: bool = False


def is_due(
    state: UrlState | None,
    now: datetime.datetime,
    *,
    ask_all: bool = False,
    is_named: bool = False,
) -> bool:
    """Return whether a URL is due now; one that is gone for good only if the user names it."""
    if state is None or is_named:
        return True
    # Fetched in the future: the clock was set back since, and is not waited for.
    is_ahead = state.requested_at is not None and state.requested_at > now
    return not state.is_gone and (ask_all or is_ahead or state.next_at <= now)


def request(
    state: UrlState | None,
    url: str,
    now: datetime.datetime,
    *,
    accept: str = "*/*",
    obey_robots: bool = True,
    client: Client = NO_CLIENT,
    key: object = "",
) -> Request:
    """Return the request for `url`: to where it has moved, with its last validators."""
    validators = Validators()
    if state is not None:
        if state.moved_to is not None and state.moves >= BELIEVED_MOVES:
            url = state.moved_to
        is_old = state.read_at is None or now - state.read_at >= READ_ANEW
        if state.content_hash and not is_old:
            validators = state.validators
    return Request(url, validators, accept, obey_robots, key, client)


def after_success(
    state: UrlState,
    response: Response,
    pace: Pace,
    now: datetime.datetime,
    content_hash: bytes | None,
) -> UrlState:
    """Return the state after a 304 or a body that could be read.

    `content_hash` is that of a new body, None if there was none.
    """
    moved_to, moves = _moves(state, response)
    is_new = content_hash is not None
    return replace(
        state,
        next_at=now + wait_after_success(response.headers, pace, now, _jitter(state.url)),
        validators=response.validators if is_new else _merged(state, response),
        content_hash=content_hash if content_hash is not None else state.content_hash,
        requested_at=now,
        answered_at=now,
        read_at=now if is_new else state.read_at,
        failures=0,
        error=None,
        moved_to=moved_to,
        moves=moves,
        is_gone=False,
        fetch_once=False,
    )


def after_failure(
    state: UrlState,
    error: str,
    pace: Pace,
    now: datetime.datetime,
    response: Response | None = None,
) -> UrlState:
    """Return the state after an error, an error status or a body that cannot be used.

    The validators stay those of the last good body.  410 (Gone) ends the polling.
    """
    is_gone = response is not None and response.status == 410
    headers = response.headers if response is not None else {}
    wait = wait_after_failure(state.failures + 1, headers, pace, now, _jitter(state.url))
    return replace(
        state,
        next_at=now + wait,
        requested_at=now,
        failures=state.failures + 1,
        error=error,
        # Its new address may be what is broken: the old one is tried next time.
        moved_to=None,
        moves=0,
        is_gone=is_gone,
        fetch_once=state.fetch_once and state.failures < MAX_TRIES_ONCE,
    )


def wait_after_success(
    headers: Mapping[str, str], pace: Pace, now: datetime.datetime, jitter: float
) -> datetime.timedelta:
    """Return the pace, or longer while the response stays fresh (RFC 9111 §4.2).

    A little less than the pace, so that a schedule of the same length never skips a round.
    """
    wait = pace.every * (0.9 + 0.08 * jitter)
    fresh = freshness(headers, now)
    if fresh is not None and fresh > pace.every:
        wait = max(wait, min(fresh, pace.longest))
    return wait


def wait_after_failure(
    failures: int, headers: Mapping[str, str], pace: Pace, now: datetime.datetime, jitter: float
) -> datetime.timedelta:
    """Return twice the wait after each failure in a row, or what the server asks for.

    Never longer than a day, unless the pace itself is.
    """
    ceiling = max(LONGEST_WAIT, pace.every)
    doubled = pace.every * 2 ** min(failures, 20) if failures else pace.every
    wait = min(doubled, ceiling) * (0.75 + 0.25 * jitter)
    requested = retry_after(headers, now)
    return max(wait, min(requested, LONGEST_WAIT)) if requested is not None else wait


def retry_after(headers: Mapping[str, str], now: datetime.datetime) -> datetime.timedelta | None:
    """Return Retry-After in either form (RFC 9110 §10.2.3), at most a day; None without one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(datetime.timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    until = _http_date(value)
    if until is None:
        return None
    return min(max(until - now, datetime.timedelta(0)), LONGEST_WAIT)


def freshness(headers: Mapping[str, str], now: datetime.datetime) -> datetime.timedelta | None:
    """Return how long a response stays fresh: max-age minus Age, else Expires minus Date."""
    control = headers.get("cache-control", "")
    if _NOT_FRESH.search(control):
        return None
    match = _MAX_AGE.search(control)
    if match is not None:
        age = headers.get("age", "").strip()
        seconds = int(match[1]) - (int(age[:9]) if age.isascii() and age.isdigit() else 0)
        return datetime.timedelta(seconds=max(seconds, 0))
    expires = _http_date(headers.get("expires", ""))
    if expires is None:
        return None
    sent = _http_date(headers.get("date", "")) or now
    return max(expires - sent, datetime.timedelta(0))


def _moves(state: UrlState, response: Response) -> tuple[str | None, int]:
    """Return where a URL claims to have moved, and how often in a row it did."""
    if state.moved_to is not None and state.moves >= BELIEVED_MOVES:
        # The request went to its new address; a further move starts the count again.
        return (state.moved_to, state.moves) if response.moved_to is None else (None, 0)
    if response.moved_to is None:
        return None, 0
    return response.moved_to, state.moves + 1 if response.moved_to == state.moved_to else 1


def _merged(state: UrlState, response: Response) -> Validators:
    """Return the validators after a 304, which may bring newer ones (RFC 9110 §15.4.5)."""
    return Validators(
        response.validators.etag or state.validators.etag,
        response.validators.last_modified or state.validators.last_modified,
        response.validators.url,
    )


def _jitter(url: str) -> float:
    """Return 0 to 1, always the same for a URL: URLs spread out, and keep their times."""
    return hashlib.blake2b(url.encode("utf-8", "replace"), digest_size=1).digest()[0] / 255


def _http_date(value: str) -> datetime.datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)
