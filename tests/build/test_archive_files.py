"""Archive documents on disk: adopted, compared and trimmed."""

from pathlib import Path

import pytest
from configured import settings_with
from merging import NOW, apply, code_of, copy
from one_feed import PUBLISHED, UPDATED, document, entry

from aggregator.build import archive_files
from aggregator.build.context import Context
from aggregator.model.errors import PublishError
from aggregator.model.feeds import Archive
from aggregator.model.polls import Batch
from aggregator.publish import atom
from aggregator.publish.files import Folder
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, published
from aggregator.store.database import Store

ONE, TWO, THREE = code_of(1), code_of(2), code_of(3)


@pytest.fixture
def context(store: Store, tmp_path: Path) -> Context:
    publication = Publication.of(settings_with())
    return Context(store, publication, Folder(tmp_path), NOW, {}, full=False, dry_run=False)


def archive(context: Context, number: int, *codes: str, end: int | None = None) -> Path:
    """Write a document with entries of these articles, the last that arrived first."""
    tag = context.publication.site.tag
    entries = [entry(id=f"tag:{tag}:{code}") for code in codes]
    path = context.destination.directory / context.publication.archive_path(spec(context), number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(atom.render(document(*entries))[:end])
    return path


def trimmed(context: Context, path: Path, archive: Archive) -> bytes:
    name = path.relative_to(context.destination.directory).as_posix()
    tag = context.publication.site.tag
    return archive_files.trimmed(context.destination, name, tag, archive)


def spec(context: Context):
    return context.publication.combined_spec()


def adopted(context: Context, after: int = 0) -> list[Archive]:
    with context.store.transaction() as connection:
        archive_files.adopt(context, connection, spec(context), after)
    with context.store.transaction() as connection:
        newest = archive_places.newest_number(connection, "all") or 0
        archive_places.write_again(connection, "all", range(newest + 1))
        return archive_places.to_write(connection, "all", 0, 99)


def test_documents_of_an_earlier_store_are_adopted_as_they_are(context: Context) -> None:
    archive(context, 1, TWO, ONE)
    archive(context, 2, THREE)
    assert [(item.number, item.places, item.is_sealed) for item in adopted(context)] == [
        (1, ((ONE, 1), (TWO, 1)), True),
        (2, ((THREE, 1),), True),
    ]
    with context.store.transaction() as connection:
        paths = [file.path for _, _, file in published.documents(connection)]
    assert sorted(paths) == ["archives/all.1.atom", "archives/all.2.atom"]


def test_a_missing_document_between_others_is_empty_and_a_number_is_a_limit(
    context: Context,
) -> None:
    archive(context, 1, ONE)
    archive(context, 3, TWO)
    archive(context, 4_000_000_000, THREE)
    (context.destination.directory / "archives" / "all.x.atom").write_text("x")
    (context.destination.directory / "archives" / "all.7.atom").mkdir()
    assert [(item.number, item.places) for item in adopted(context, 1)] == [
        (2, ()), (3, ((TWO, 1),))
    ]  # fmt: skip


def test_an_entry_with_the_date_of_its_article_is_the_newest_revision(context: Context) -> None:
    first = copy("1.md", "alt", code=ONE, published=PUBLISHED)
    apply(context.store, Batch("posts:a", copies=(first,)))
    archive(context, 1, ONE)  # its date is another one
    archive(context, 2, ONE)
    found = adopted(context)
    assert [item.places for item in found] == [((ONE, -1),), ((ONE, 0),)]
    assert UPDATED != PUBLISHED


def test_what_was_altered_or_removed_is_written_again(context: Context) -> None:
    paths = [archive(context, number, code_of(number)) for number in (1, 2, 3)]
    with context.store.transaction() as connection:
        documents = [Archive(number, (), is_sealed=True, is_written=True) for number in (1, 2, 3)]
        archive_places.save(connection, "all", documents)
        assert archive_files.check_documents(context, connection) == set()
        paths[0].unlink()
        paths[1].write_bytes(b"x")
        assert archive_files.check_documents(context, connection) == {"all"}
        due = archive_places.to_write(connection, "all", 0, 9)
        assert [item.number for item in due] == [1, 2]


def test_withdrawn_articles_leave_a_document_and_the_rest_stays_byte_for_byte(
    context: Context,
) -> None:
    path = archive(context, 1, THREE, TWO, ONE)
    before = path.read_bytes()
    everything = Archive(1, ((ONE, 1), (TWO, 1), (THREE, 1)))
    assert trimmed(context, path, everything) == before
    left = trimmed(context, path, Archive(1, ((ONE, 1), (THREE, 1))))
    assert left == archive(context, 2, THREE, ONE).read_bytes()


def test_a_document_that_is_damaged_is_not_trimmed(context: Context) -> None:
    torn = archive(context, 1, TWO, ONE, end=-9)
    whole = archive(context, 2, ONE)
    for path, places in ((torn, ((ONE, 1),)), (whole, ((ONE, 1), (TWO, 1)))):
        with pytest.raises(PublishError, match="is damaged"):
            trimmed(context, path, Archive(1, places))
    with pytest.raises(PublishError, match="cannot be read"):
        trimmed(context, context.destination.directory / "none", Archive(1, ()))
