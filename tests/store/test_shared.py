"""Lists of feeds that machines share."""

from aggregator.store.database import Store
from aggregator.store.shared import feed_lists, save_feed_lists


def test_the_last_document_of_a_list_is_kept(store: Store) -> None:
    with store.transaction() as connection:
        save_feed_lists(connection, {"a": b"1", "b": b"\0\xff"})
        save_feed_lists(connection, {"a": b"2"})
        save_feed_lists(connection, {})
    with store.transaction() as connection:
        assert feed_lists(connection, ["a", "b", "c"]) == {"a": b"2", "b": b"\0\xff"}
        assert feed_lists(connection, []) == {}
