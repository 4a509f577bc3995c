"""One batch after the other, merged into a store."""

import datetime
from pathlib import Path

from merging import NOW, apply, article, code_of, copy

from aggregator.model.polls import Batch
from aggregator.store import archive_places, schema
from aggregator.store.articles import revisions_of
from aggregator.store.database import Store
from aggregator.store.renditions import renditions, save_renditions


def test_a_second_copy_in_the_same_poll_is_no_revision(address: Path | str) -> None:
    with Store(address) as store:
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "eins"),))) == ["new"]
        assert apply(store, Batch("posts:a", copies=(copy("2.md", "zwei"),))) == ["found better"]
        assert (article(store).revision, article(store).updated) == (1, None)


def test_a_better_text_of_what_is_in_an_archive_is_a_revision_in_any_poll(store: Store) -> None:
    """A poll that many machines share takes minutes; what was archived meanwhile stays as it is."""
    for number, feed in enumerate(("all", "source:a", "tag:t"), 1):
        code, file = code_of(number), f"{number}.md"
        first = copy(file, "eins", code=code, is_full=False)
        assert apply(store, Batch("posts:a", copies=(first,))) == ["new"]
        with store.transaction() as connection:
            archive_places.save_places(connection, feed, 1, [(code, 1)], is_begun=False)
            if feed.startswith("tag:"):
                row = {"feed": feed, "published": 1, "code": code}
                connection.execute(schema.selected.insert(), [row])
        full = copy(file, "zwei, und mehr", code=code)
        assert apply(store, Batch("posts:a", copies=(full,))) == ["revised"]
        assert article(store, code).revision == 2


def test_another_text_in_a_later_poll_is_a_revision(address: Path | str) -> None:
    with Store(address) as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "<p>eins"),)))
        noise = copy("1.md", "<p class=x>eins</p>")
        assert apply(store, Batch("posts:a", copies=(noise,)), 2, 1) == ["invisible"]
        assert article(store).updated is None
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "zwei"),)), 3, 2) == ["revised"]
        assert article(store).updated == NOW + datetime.timedelta(days=2)
        newest = article(store)
        with store.transaction() as connection:
            history = revisions_of(connection, newest)
        assert [(one.number, one.text) for one in history] == [
            (1, "<p class=x>eins</p>"),
            (2, "zwei"),
        ]


def test_a_text_that_is_read_by_other_rules_replaces_the_revision(address: Path | str) -> None:
    with Store(address) as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "eins"),)))
        first = article(store)
        with store.transaction() as connection:
            save_renditions(connection, b"r", [(first.code, 1, b"eins", ())])
        anew = copy("1.md", "eins mit Bild", title="Anders", is_reread=True)
        assert apply(store, Batch("posts:a", copies=(anew,)), 2, 1) == ["reread"]
        now = article(store)
        assert (now.title, now.revision, now.updated) == ("Anders", 1, None)
        assert now.version == first.version + 1
        with store.transaction() as connection:
            assert [one.text for one in revisions_of(connection, now)] == ["eins mit Bild"]
            assert renditions(connection, [now], b"r") == {}
        assert apply(store, Batch("posts:a", copies=(copy("1.md", "zwei"),)), 3, 2) == ["revised"]


def test_the_first_origin_of_the_config_is_shown(address: Path | str) -> None:
    with Store(address) as store:
        apply(store, Batch("posts:b", copies=(copy("1.md", "b", "posts:b"),)))
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        assert article(store).raw_hash == b"a"


def test_the_last_copy_gone_drops_or_keeps_as_its_origin_says(address: Path | str) -> None:
    with Store(address) as store:
        apply(store, Batch("posts:b", copies=(copy("1.md", "b", "posts:b"),)))
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        assert apply(store, Batch("posts:a", gone=("1.md",)), 2) == ["revised"]
        assert apply(store, Batch("posts:b", gone=("1.md",)), 3) == ["removed"]
        back = Batch("posts:b", copies=(copy("1.md", "b", "posts:b"),))
        assert apply(store, back, 4) == ["returned"]
        assert article(store).first_seen == NOW


def test_a_post_that_becomes_another_article_takes_the_old_one_along(address: Path | str) -> None:
    other = "NW202201270000000001"
    with Store(address) as store:
        apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
        moved = Batch("posts:a", copies=(copy("1.md", "a", code=other),))
        assert sorted(apply(store, moved, 2)) == ["new", "removed"]
