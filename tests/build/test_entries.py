"""What entries are made of: names and texts."""

import datetime

from configured import settings_with
from merging import NOW

from aggregator.build.context import Context
from aggregator.build.entries import SourceNames, bodies
from aggregator.model.articles import Article
from aggregator.model.packing import pack, unpack
from aggregator.publish.files import Folder
from aggregator.publish.publication import Publication
from aggregator.store.articles import remember, save_bodies
from aggregator.store.database import Store
from aggregator.store.renditions import save_renditions


def context_of(store: Store, tmp_path: object) -> Context:
    settings = settings_with(sources={"a": {"name": "Configured"}})
    folder = Folder(tmp_path)  # type: ignore[arg-type]
    return Context(store, Publication.of(settings), folder, NOW, {}, full=False, dry_run=False)


def article(code: str, **values: object) -> Article:
    whole = {"published": NOW, "source": "b", "source_name": None, **values}
    return Article(code, first_seen=NOW, updated=None, revision=1, version=1, **whole)  # type: ignore[arg-type]


def test_names_are_configured_or_those_of_the_newest_article(
    store: Store, tmp_path: object
) -> None:
    context = context_of(store, tmp_path)
    older = article("1", source_name="Alt", published=NOW - datetime.timedelta(days=1))
    articles = [article("2", source_name="Neu"), older, article("3", source="a")]
    with store.transaction() as connection:
        remember(connection, articles)
        names = SourceNames(context).of(connection, articles, "c")
    assert {key: name.name for key, name in names.items()} == {
        "a": "Configured", "b": "Neu", "c": "c"
    }  # fmt: skip


def test_texts_are_clean_where_they_have_been_cleaned(store: Store, tmp_path: object) -> None:
    context = context_of(store, tmp_path)
    with store.transaction() as connection:
        first, second = save_bodies(connection, [pack("<p onclick=x>1"), pack("<p onclick=x>2")])
        articles = [article("1", body_id=first), article("2", body_id=second), article("3")]
        remember(connection, articles)
        rules = context.publication.sanitizing
        save_renditions(connection, rules, [("2", 1, pack("<p>2</p>"), ())])
        found = bodies(context, connection, articles)
    assert [unpack(found[code, 1].packed) for code in "123"] == ["<p onclick=x>1", "<p>2</p>", ""]
    assert [found[code, 1].media_type for code in "123"] == ["text/html", None, "text/html"]
