"""Sketches, pairs and stories as rows, in each of the databases."""

import datetime

from merging import apply, copy

from aggregator.model.articles import Sketch
from aggregator.model.polls import Batch
from aggregator.store import similar
from aggregator.store.database import Store
from aggregator.store.similar import Compared, SimilarArticle

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


def compared(code: str, *hashes: int, published: int = 0) -> Compared:
    return Compared(code, "chenbao", published, 1, Sketch(1, hashes))


def test_sketches_are_kept_and_removed(store: Store) -> None:
    first, second = compared("a", 1, 2**39, published=5), compared("b", 2**39, published=9)
    with store.transaction() as connection:
        similar.add_sketches(connection, [first, second])
    with store.transaction() as connection:
        assert similar.sketches(connection, ["a", "b", "c"]) == {"a": first, "b": second}
        assert similar.holders(connection, [1, 2, 2**39], 9) == {1: {"a"}, 2**39: {"a", "b"}}
        assert similar.sources(connection, ["a", "c"]) == {"a": "chenbao"}
        assert similar.sketched_before(connection, 9) == ["a"]
        similar.remove_sketches(connection, [first])
        assert similar.sketches(connection, ["a", "b"]) == {"b": second}
        assert similar.holders(connection, [1, 2**39], 9) == {2**39: {"b"}}


def test_of_a_hash_that_many_have_only_so_much_is_read(store: Store) -> None:
    with store.transaction() as connection:
        similar.add_sketches(connection, [compared(f"c{number}", 7) for number in range(5)])
        assert similar.holders(connection, [7], 4) == {7: None}
        found = similar.holders(connection, [7], 5)[7]
        assert found is not None
        assert len(found) == 5


def test_pairs_are_known_from_both_sides(store: Store) -> None:
    with store.transaction() as connection:
        similar.save_pairs(connection, {("a", "b"): (40, 30), ("c", "a"): (100, 9)})
        assert similar.pairs_of(connection, ["a", "b"]) == {
            "a": {"b": (40, 30), "c": (100, 9)},
            "b": {"a": (40, 30)},
        }
        similar.save_pairs(connection, {("b", "a"): (0, 0), ("a", "c"): (90, 9)})
        assert similar.pairs_of(connection, "abc") == {"a": {"c": (90, 9)}, "c": {"a": (90, 9)}}


def test_similar_articles_are_those_that_feeds_show(store: Store) -> None:
    days = {"a": 3, "b": 2, "c": 1, "d": 2}
    copies = [
        copy(
            f"{code}.md",
            code,
            code=code,
            published=datetime.datetime(2020, 1, day, tzinfo=datetime.UTC),
        )
        for code, day in days.items()
    ]
    apply(store, Batch("posts:a", copies=tuple(copies)))
    with store.transaction() as connection:
        similar.save_pairs(
            connection, {("a", code): (50, 40) for code in ("b", "c", "d", "unknown")}
        )
        found = similar.similar_to(connection, ["a", "c", "unknown"], NOW)
        assert found == {
            "a": tuple(SimilarArticle(code, 50) for code in "cbd"),
            "c": (SimilarArticle("a", 50),),
            "unknown": (SimilarArticle("a", 50),),
        }
        early = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)
        assert similar.similar_to(connection, ["a", "c"], early) == {
            "a": (SimilarArticle("c", 50),)
        }


def test_what_is_forgotten_is_made_again(store: Store) -> None:
    with store.transaction() as connection:
        assert similar.progress(connection) is None
        done = similar.Progress(b"rules", 3, 2**33)
        similar.save_progress(connection, done)
        assert similar.progress(connection) == done
        similar.add_sketches(connection, [compared("a", 1)])
        similar.save_pairs(connection, {("a", "b"): (40, 4)})
        similar.forget_sketches(connection)
        assert similar.progress(connection) is None
        assert similar.sketches(connection, ["a"]) == {}
        assert similar.pairs_of(connection, ["a"]) == {"a": {"b": (40, 4)}}
        similar.note_changed(connection, ["a", "a"])
        assert similar.changed_codes(connection) == {"a"}
        similar.forget_all(connection)
        assert similar.pairs_of(connection, ["a"]) == {}
        assert similar.changed_codes(connection) == set()
