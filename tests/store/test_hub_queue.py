"""Which hubs are still to be notified of which feeds, and when."""

import datetime

from merging import NOW

from aggregator.store import hub_queue
from aggregator.store.database import Store

HOUR = datetime.timedelta(hours=1)
HUB, OTHER = "https://hub.example/", "https://other.example/"


def topics(store: Store, now: datetime.datetime) -> list[tuple[str, str]]:
    with store.transaction() as connection:
        return [(ping.hub, ping.topic) for ping in hub_queue.due(connection, now)]


def test_a_feed_that_changes_again_is_named_once_and_not_lost(store: Store) -> None:
    with store.transaction() as connection:
        hub_queue.enqueue(connection, [HUB], ["a", "b"], NOW)
        (sent, _) = hub_queue.due(connection, NOW)
        hub_queue.enqueue(connection, [HUB], ["a"], NOW + HOUR)
        hub_queue.done(connection, sent)
    assert topics(store, NOW + HOUR) == [(HUB, "a"), (HUB, "b")]
    with store.transaction() as connection:
        for ping in hub_queue.due(connection, NOW + HOUR):
            hub_queue.done(connection, ping)
        assert hub_queue.next_due(connection) is None


def test_a_hub_that_failed_keeps_its_pause_and_another_has_none(store: Store) -> None:
    with store.transaction() as connection:
        hub_queue.enqueue(connection, [HUB, OTHER], ["a"], NOW)
        (ping, _) = hub_queue.due(connection, NOW)
        hub_queue.postpone(connection, ping, NOW + HOUR, 1, "status 500")
        hub_queue.enqueue(connection, [HUB, OTHER], ["b"], NOW)
        assert hub_queue.next_due(connection) == NOW
        assert hub_queue.waiting(connection) == [(HUB, 2, 1, "status 500"), (OTHER, 2, 0, None)]
    assert topics(store, NOW) == [(OTHER, "a"), (OTHER, "b")]
    assert len(topics(store, NOW + HOUR)) == 4
    with store.transaction() as connection:
        (failed,) = [one for one in hub_queue.due(connection, NOW + HOUR) if one.failures]
    assert (failed.topic, failed.error, failed.due_at) == ("a", "status 500", NOW + HOUR)


def test_without_a_feed_no_hub_is_notified(store: Store) -> None:
    with store.transaction() as connection:
        hub_queue.enqueue(connection, [HUB], [], NOW)
        assert hub_queue.waiting(connection) == []
