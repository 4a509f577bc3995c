"""Copies by origin and location; texts are stored once for as long as they stay the same."""

import datetime

from merging import CODE, NOW, copy

from aggregator.store.articles import bodies_of
from aggregator.store.copies import (
    copies_at,
    copies_of,
    copy_locations,
    forget_copies,
    save_copies,
)
from aggregator.store.database import Store

LATER = NOW + datetime.timedelta(days=1)


def test_a_text_that_stays_keeps_its_number_and_its_date(store: Store) -> None:
    with store.transaction() as connection:
        (first,) = save_copies(connection, [copy("1.md", "a")], {}, NOW)
        before = copies_at(connection, "posts:a", ["1.md", "2.md"])
        assert before == {"1.md": first}
        assert first.changed is None
        same = copy("1.md", "a", title="neu")
        (second,) = save_copies(connection, [same], before, LATER)
        assert (second.title, second.body_id, second.changed) == ("neu", first.body_id, None)
        assert copies_of(connection, [CODE]) == [second]


def test_another_text_is_new_and_dated_unless_it_reads_as_before(store: Store) -> None:
    with store.transaction() as connection:
        (first,) = save_copies(connection, [copy("1.md", "a")], {}, NOW)
        before = {"1.md": first}
        (second,) = save_copies(connection, [copy("1.md", "b")], before, LATER, {"1.md"})
        assert second.body_id != first.body_id
        assert second.changed is None
        (third,) = save_copies(connection, [copy("1.md", "c")], {"1.md": second}, LATER)
        assert third.changed == LATER
        assert list(bodies_of(connection, [third.body_id]).values()) == [copy("", "c").body]
        assert copies_of(connection, [CODE]) == [third]


def test_a_copy_is_forgotten_at_its_origin_only(store: Store) -> None:
    with store.transaction() as connection:
        for origin in ("posts:a", "posts:b"):
            save_copies(connection, [copy("1.md", "a", origin), copy("2.md", "a", origin)], {}, NOW)
        forget_copies(connection, "posts:a", ["1.md"])
        assert copy_locations(connection, "posts:a") == ["2.md"]
        assert sorted(copy_locations(connection, "posts:b")) == ["1.md", "2.md"]
