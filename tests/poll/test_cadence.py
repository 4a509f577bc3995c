"""When a feed is fetched that says how often it should be."""

import datetime

from aggregator.fetch.pacing import Pace
from aggregator.model.polls import Cadence
from aggregator.poll.cadence import earliest

PACE = Pace(datetime.timedelta(minutes=30))


def test_the_next_time_that_a_feed_wants() -> None:
    friday = datetime.datetime(2026, 11, 27, 22, 30, tzinfo=datetime.UTC)
    soon = friday + datetime.timedelta(minutes=30)
    assert earliest(Cadence(), PACE, soon, friday) == soon
    assert earliest(Cadence(7200), PACE, soon, friday) == friday.replace(day=28, hour=0)
    saturday = friday.replace(day=28, minute=0)
    assert earliest(Cadence(0, (23, 0, 1)), PACE, soon, friday) == saturday.replace(hour=2)
    assert earliest(Cadence(0, (), (5, 6)), PACE, soon, friday) == soon
    late = friday.replace(day=28, hour=1)
    monday = friday.replace(day=30, hour=0, minute=0)
    assert earliest(Cadence(0, (), (5, 6)), PACE, late, friday) == monday
    never = Cadence(0, tuple(range(24)))
    assert earliest(never, PACE, soon, friday) == friday + datetime.timedelta(days=1)


def test_a_pace_that_the_user_gave_for_a_feed_outranks_its_own() -> None:
    now = datetime.datetime(2026, 11, 27, 22, 30, tzinfo=datetime.UTC)
    soon, own = now + PACE.every, Pace(PACE.every, is_own=True)
    assert earliest(Cadence(86_400), own, soon, now) == soon
    assert earliest(Cadence(86_400, (23,)), own, soon, now) == now.replace(day=28, hour=0, minute=0)
