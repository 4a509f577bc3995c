"""Telling WebSub hubs that feeds have changed: apart from builds, and until they heard it."""

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
# What nobody wanted to hear for a day is old news.
GIVEN_UP_AFTER = datetime.timedelta(days=1)


def tell(
    transaction: Callable[[], AbstractContextManager[Connection]],
    fetcher: Fetcher,
    clock: Callable[[], datetime.datetime],
) -> HubSummary:
    """Tell each hub what it is to be told by now.

    A hub that fails is left alone for a while, with all that is for it.
    """
    summary = HubSummary()
    with transaction() as connection:
        due = hub_queue.due(connection, clock())
    failing: dict[str, tuple[str, datetime.datetime]] = {}
    for ping in due:
        if fetcher.is_cancelled:
            break
        if ping.hub in failing:
            trouble, again = failing[ping.hub]
        else:
            found = _send(fetcher, ping, clock)
            if found is None:
                summary.told += 1
                with transaction() as connection:
                    hub_queue.done(connection, ping)
                continue
            trouble, again = found
            failing[ping.hub] = found
            summary.failures.append(f"hub {ping.hub}: {trouble}")
        with transaction() as connection:
            if clock() - ping.since >= GIVEN_UP_AFTER:
                hub_queue.done(connection, ping)
                summary.given_up += 1
            else:
                hub_queue.postpone(connection, ping, again, ping.failures + 1, trouble)
    return summary


def _send(
    fetcher: Fetcher, ping: Ping, clock: Callable[[], datetime.datetime]
) -> tuple[str, datetime.datetime] | None:
    """Tell a hub; None if it heard, else why not and when to try again."""
    form = {"hub.mode": "publish", "hub.url": ping.topic, "hub.topic": ping.topic}
    wait = min(FIRST_WAIT * 2 ** min(ping.failures, 10), LONGEST_WAIT)
    try:
        response = fetcher.post(ping.hub, form)
    except FetchError as error:
        return error.reason, clock() + wait
    if 200 <= response.status < 300:
        return None
    asked = retry_after(response.headers, clock())
    if asked is not None:
        wait = min(max(asked, datetime.timedelta(seconds=1)), GIVEN_UP_AFTER)
    return f"answered {response.status}", clock() + wait
