"""Which feeds are compared when articles get other similar ones."""

from merging import apply, copy

from aggregator.build.dirty import note_changed
from aggregator.model.polls import Batch
from aggregator.store import published, selected, similar
from aggregator.store.articles import articles_of
from aggregator.store.database import Store


def test_every_feed_that_shows_an_article_is_compared(store: Store) -> None:
    apply(store, Batch("posts:a", copies=(copy("1.md", "a"),)))
    with store.transaction() as connection:
        code = copy("1.md", "a").code
        selected.replace(connection, {code: ["tag:x"]}, articles_of(connection, [code]).values())
        note_changed(connection, [code, "unknown"])
        assert published.dirty_feeds(connection) == {"all", "source:a", "tag:x"}
        assert similar.changed_codes(connection) == {code, "unknown"}
