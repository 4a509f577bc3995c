"""Notifying WebSub hubs of changed feeds: apart from builds, and until they accept it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import Connection

from aggregator.fetch.fetcher import Fetcher
from aggregator.fetch.pacing import retry_after
from aggregator.model.errors import FetchError
from aggregator.model.summaries import HubSummary
from aggregator.store import hub_queue
from aggregator.store.hub_queue import Ping

FIRST_WAIT = datetime.timedelta(seconds=30)
LONGEST_WAIT = datetime.timedelta(hours=1)
# Since when a hub has failed to be notified of a feed.
GIVEN_UP_AFTER = datetime.timedelta(days=1)


def notify(
    transaction: Callable[[], AbstractContextManager[Connection]],
    fetcher: Fetcher,
    clock: Callable[[], datetime.datetime],
) -> HubSummary:
    """Notify each hub of the feeds that are due.

    A hub that fails is not contacted again before some time has passed, for any feed.
    """
    summary = HubSummary()
    with transaction() as connection:
        due = hub_queue.due(connection, clock())
    failing: dict[str, tuple[str, datetime.datetime]] = {}
    for ping in due:
        if fetcher.is_cancelled:
            break
        if ping.hub in failing:
            reason, retry_at = failing[ping.hub]
        else:
            failure = _send(fetcher, ping, clock)
            if failure is None:
                summary.notified += 1
                with transaction() as connection:
                    hub_queue.done(connection, ping)
                continue
            reason, retry_at = failing[ping.hub] = failure
            summary.failures.append(f"hub {ping.hub}: {reason}")
        with transaction() as connection:
            if clock() - ping.since >= GIVEN_UP_AFTER:
                hub_queue.done(connection, ping)
                summary.given_up += 1
            else:
                hub_queue.postpone(connection, ping, retry_at, ping.failures + 1, reason)
    return summary


def _send(
    fetcher: Fetcher, ping: Ping, clock: Callable[[], datetime.datetime]
) -> tuple[str, datetime.datetime] | None:
    """Notify a hub; return None if it accepted, else why not and when to retry."""
    form = {"hub.mode": "publish", "hub.url": ping.topic, "hub.topic": ping.topic}
    wait = min(FIRST_WAIT * 2 ** min(ping.failures, 10), LONGEST_WAIT)
    try:
        response = fetcher.post(ping.hub, form)
    except FetchError as error:
        return error.reason, clock() + wait
    if 200 <= response.status < 300:
        return None
    requested_wait = retry_after(response.headers, clock())
    if requested_wait is not None:
        wait = min(max(requested_wait, datetime.timedelta(seconds=1)), GIVEN_UP_AFTER)
    return f"status {response.status}", clock() + wait
