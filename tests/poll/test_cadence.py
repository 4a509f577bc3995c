"""When a feed is fetched that says how often it should be."""

import contextlib
import datetime
import sqlite3

import pytest
from conftest import Site
from upstream import Upstream

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


@pytest.mark.parametrize("damaged", ["x", "[1]", '["a", [], []]', "[99999999999999, [], []]"])
def test_a_damaged_cadence_costs_one_request(site: Site, upstream: Upstream, damaged: str) -> None:
    feed = "<rss version='2.0'><channel><title>T</title><ttl>60</ttl></channel></rss>"
    url = upstream.document("/feed", feed, "application/rss+xml")
    fetch = "fetch: {allow_private_addresses: [127.0.0.2/32], per_host: {delay: 0s}}\n"
    site.configure(lambda text: f"{text}{fetch}subscriptions: [{{url: '{url}'}}]\n")
    assert site.run("poll").code == 0
    with contextlib.closing(sqlite3.connect(site.root / "var" / "aggregator.db")) as connection:
        connection.execute("update url set cadence = ?", (damaged,))
        connection.commit()
    upstream.asked.clear()
    assert site.run("poll", "--all").code == 0
    assert upstream.count("/feed") == 1
    assert site.run("poll").code == 0
    assert upstream.count("/feed") == 1
    assert site.run("status").code == 0
