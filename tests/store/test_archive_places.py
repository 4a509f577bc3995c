"""Which revision stands in which archive document."""

from merging import NOW, apply, code_of, copy

from aggregator.model.feeds import Archive, FeedSpec
from aggregator.model.polls import Batch
from aggregator.store import archive_places as places
from aggregator.store.database import Store

ALL = FeedSpec("all", "all", "all", "", 10)


def test_articles_arrive_once_in_order(store: Store) -> None:
    copies = [
        copy(f"{n}.md", "x", "posts:b", code_of(n), source=source)
        for n, source in ((1, "a"), (2, "b"), (3, "a"))
    ]
    apply(store, Batch("posts:b", copies=tuple(copies)))
    apply(store, Batch("posts:b", gone=("3.md",)), 2)
    of_a = FeedSpec("source:a", "a", "source", "a", 10)
    with store.transaction() as connection:
        first = places.Arrival(1, code_of(1), 1, int(NOW.timestamp()))
        assert places.arrivals(connection, ALL, 0, 1) == [first]
        assert [item.code for item in places.arrivals(connection, ALL, 1, 9)] == [code_of(2)]
        assert places.arrivals(connection, of_a, 0, 9) == [first]
        known = [code_of(n) for n in (3, 2, 1)]
        assert [item.number for item in places.arrivals_of(connection, ALL, known)] == [1, 2]


def test_a_document_goes_on_where_it_ended(store: Store) -> None:
    with store.transaction() as connection:
        assert places.newest(connection, "all") is None
        places.save(connection, "all", [Archive(1, ())])
        places.save_places(connection, "all", 1, [("b", 1), ("a", 1)])
        places.save_places(connection, "all", 1, [("c", 1)], is_begun=True)
        places.save_places(connection, "all", 2, [("a", 2)], is_begun=True)
        places.save(connection, "all", [Archive(2, (), fingerprint=b"f")])
        newest = places.newest(connection, "all")
        assert newest == Archive(2, (("a", 2),), fingerprint=b"f")
        assert places.newest_number(connection, "all") == 2
        (first, _) = places.to_write(connection, "all", 0, 9)
        assert first.places == (("b", 1), ("a", 1), ("c", 1))
        assert places.placed(connection, "all", ["a", "x"]) == {("a", 1), ("a", 2)}
        assert places.documents_of(connection, "a") == [("all", 1), ("all", 2)]


def test_sealed_documents_are_written_once_and_the_open_one_is_compared(store: Store) -> None:
    with store.transaction() as connection:
        places.save(connection, "all", [Archive(n, (), is_sealed=n < 3) for n in (1, 2, 3)])

        def numbers(after: int = 0, limit: int = 9) -> list[int]:
            found = places.to_write(connection, "all", after, limit)
            return [archive.number for archive in found]

        assert (numbers(), numbers(1), numbers(0, 1)) == ([1, 2, 3], [2, 3], [1])
        places.save_written(connection, [("all", 1, b"x"), ("all", 3, b"y")])
        assert numbers() == [2, 3]
        assert sorted(places.written(connection)) == [("all", 1), ("all", 3)]
        places.write_again(connection, "all", [1])
        assert numbers() == [1, 2, 3]


def test_what_is_withdrawn_leaves_its_documents_to_be_written_again(store: Store) -> None:
    with store.transaction() as connection:
        documents = [Archive(n, (), is_sealed=True, is_written=True) for n in (1, 2, 3)]
        places.save(connection, "all", documents)
        places.save_places(connection, "all", 1, [("a", 1), ("b", 1)])
        places.save_places(connection, "all", 3, [("a", 2), ("c", 1)])
        places.save(connection, "tag:b", documents[:1])
        places.save_places(connection, "tag:b", 1, [("a", 1)])
        for feed in ("all", "tag:b"):
            places.save_progress(connection, feed, 2, set(), set())
        places.withdraw(connection, {"a"})
        assert [item.places for item in places.to_write(connection, "tag:b", 0, 9)] == [()]
        found = places.to_write(connection, "all", 0, 9)
        contents = {item.number: item.places for item in found}
        assert contents == {1: (("b", 1),), 3: (("c", 1),)}
        places.remove_places(connection, "all", [("b", 1)])
        assert places.placed(connection, "all", ["a", "b", "c"]) == {("c", 1)}


def test_progress_and_what_waits_for_a_place(store: Store) -> None:
    with store.transaction() as connection:
        assert places.progress(connection, "all") is None
        places.save_progress(connection, "all", 5, set(), {"a", "b"})
        places.save_progress(connection, "all", 7, {"a", "b"}, {"b", "c"})
        assert places.progress(connection, "all") == 7
        assert places.unplaced(connection, "all") == {"b", "c"}
        assert places.unplaced(connection, "source:a") == set()
