"""What a document shows: a digest of it, and the revisions in it."""

import dataclasses
import datetime

from merging import NOW, apply, article, code_of, copy

from aggregator.build.shown import Revisions, archive_fingerprint, fingerprint_of
from aggregator.model.articles import Article
from aggregator.model.feeds import Archive, FeedOrigin, SourceName
from aggregator.model.polls import Batch
from aggregator.store.database import Store

ONE, TWO = code_of(1), code_of(2)
ARTICLE = Article(ONE, "a", None, NOW, NOW, None, 1, 1)
NAMES = {"a": SourceName("a", "a", "甲")}
ORIGINS = {"a": FeedOrigin("i", "T", {}, NOW)}


def test_whatever_shows_makes_another_digest() -> None:
    def digest(
        item: Article = ARTICLE, name: str = "甲", updated: object = NOW, number: int | None = None
    ) -> bytes:
        names = {"a": SourceName("a", "a", name)}
        origins = {"a": dataclasses.replace(ORIGINS["a"], updated=updated)}
        return fingerprint_of(b"r", [item], names, origins, number)

    later = NOW + datetime.timedelta(1)
    found = [
        digest(), digest(dataclasses.replace(ARTICLE, version=2)), digest(name="乙"),
        digest(dataclasses.replace(ARTICLE, revision=2)), digest(updated=later), digest(number=1),
        fingerprint_of(b"s", [ARTICLE], NAMES, ORIGINS, None),
        fingerprint_of(b"r", [], NAMES, ORIGINS, None),
    ]  # fmt: skip
    assert len(set(found)) == len(found)
    assert digest(dataclasses.replace(ARTICLE, first_poll=9)) == digest()
    other = dataclasses.replace(ARTICLE, code=TWO)
    orders = [
        fingerprint_of(b"r", order, NAMES, {}, None)
        for order in ([ARTICLE, other], [other, ARTICLE])
    ]
    assert orders[0] != orders[1]


def test_an_archive_that_is_sealed_is_another_document() -> None:
    digests = {
        archive_fingerprint(b"r", Archive(number, (), is_sealed=is_sealed), [ARTICLE], NAMES)
        for number, is_sealed in ((1, True), (2, True), (2, False))
    }
    assert len(digests) == 2


def revised(store: Store) -> None:
    """Article 1 has two revisions; article 2 was removed."""
    copies = tuple(copy(f"{n}.md", "alt", "posts:b", code_of(n), title=f"T{n}") for n in (1, 2))
    apply(store, Batch("posts:b", copies=copies))
    new = copy("1.md", "neu", "posts:b", ONE, title="U1")
    assert apply(store, Batch("posts:b", copies=(new,)), 2, 1) == ["revised"]
    assert apply(store, Batch("posts:b", gone=("2.md",)), 3) == ["removed"]


def test_an_archive_shows_articles_in_its_revisions_the_last_first(store: Store) -> None:
    revised(store)
    with store.transaction() as connection:
        revisions = Revisions(connection, [(ONE, 1), (ONE, 2), (TWO, 1)])
    shown = revisions.shown(Archive(1, ((ONE, 1), (TWO, 1), (ONE, 2))))
    assert [(item.title, item.revision) for item in shown] == [("U1", 2), ("T1", 1)]
    assert shown[0] == article(store, ONE)
    assert shown[1].updated is None
    assert revisions.is_newest((ONE, 2))
    assert not revisions.is_newest((ONE, 1))


def test_a_document_is_known_if_all_but_removed_articles_are(store: Store) -> None:
    revised(store)
    with store.transaction() as connection:
        places = [(ONE, 1), (ONE, 3), (TWO, 1), ("x", 1), (ONE, 0)]
        revisions = Revisions(connection, places)
    known = [revisions.are_known(Archive(1, (place,))) for place in places]
    assert known == [True, False, True, False, False]
