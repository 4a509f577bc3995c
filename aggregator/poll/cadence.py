"""The next time to request a feed, given its `ttl`, `skipHours` and `skipDays`.  Pure."""

from __future__ import annotations

import datetime

from aggregator.fetch.pacing import Pace
from aggregator.model.polls import Cadence


def earliest(
    cadence: Cadence, pace: Pace, wanted: datetime.datetime, now: datetime.datetime
) -> datetime.datetime:
    """Return when to fetch a feed again, `wanted` or later.

    A pace that the user gave for the feed itself outranks the feed's own, except for the
    hours and days that it skips.  A feed that skips every hour of a week is fetched a day
    later.
    """
    shortest = 0 if pace.is_own else cadence.seconds
    found = max(wanted, now + datetime.timedelta(seconds=shortest))
    moment = found.astimezone(datetime.UTC)
    for _ in range(7 * 24):
        if moment.hour not in cadence.skip_hours and moment.weekday() not in cadence.skip_days:
            return moment
        moment = moment.replace(minute=0, second=0) + datetime.timedelta(hours=1)
    return max(found, now + datetime.timedelta(days=1))
