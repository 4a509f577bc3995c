"""Which article stands for a story, as rows of the store."""

from aggregator.store import stories
from aggregator.store.database import Store


def test_stories_are_kept_and_forgotten(store: Store) -> None:
    with store.transaction() as connection:
        stories.save(connection, {"a": "a", "b": "a", "c": "c"})
        stories.save(connection, {"c": "a"})
        assert stories.firsts(connection, ["a", "b", "x"]) == {"a": "a", "b": "a"}
        assert stories.hidden(connection) == ["b", "c"]
        stories.forget_all(connection)
        assert stories.hidden(connection) == []
