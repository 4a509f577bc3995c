"""Clean HTML is kept for the rules that it was made by."""

from merging import apply, article, copy

from aggregator.model.polls import Batch
from aggregator.store.database import Store
from aggregator.store.renditions import (
    changed_texts,
    clear_renditions,
    renditions,
    save_renditions,
)


def test_a_rendition_is_found_by_its_rules_only(store: Store) -> None:
    apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
    wanted = [article(store)]
    key = (wanted[0].code, 1)
    with store.transaction() as connection:
        save_renditions(connection, b"old", [(*key, b"eins", ())])
        assert renditions(connection, wanted, b"old") == {key: b"eins"}
        assert renditions(connection, wanted, b"new") == {}
        save_renditions(connection, b"new", [(*key, b"zwei", (2,))])
        assert changed_texts(connection, b"new") == {2: 1}
        assert renditions(connection, wanted, b"new") == {key: b"zwei"}
        clear_renditions(connection)
        assert renditions(connection, wanted, b"new") == {}


def test_a_better_copy_in_the_same_poll_is_cleaned_anew(store: Store) -> None:
    apply(store, Batch("posts:a", copies=(copy("1.md", "a", is_full=False),)))
    wanted = [article(store)]
    with store.transaction() as connection:
        save_renditions(connection, b"r", [(wanted[0].code, 1, b"eins", ())])
    assert apply(store, Batch("posts:a", copies=(copy("2.md", "b"),))) == ["found better"]
    with store.transaction() as connection:
        assert renditions(connection, wanted, b"r") == {}
