"""Archive documents on disk: adopted from an earlier store, compared, and trimmed."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

from sqlalchemy import Connection

from aggregator.articles.identity import code_of_entry_id
from aggregator.build.context import Context
from aggregator.model.articles import Article
from aggregator.model.errors import PublishError, StoreError
from aggregator.model.feeds import Archive, FeedSpec, PublishedFile
from aggregator.publish.destination import Destination
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, published
from aggregator.store.articles import articles_of

# An entry as publish/atom.py writes it, and its id.
_ENTRY = re.compile(rb"  <entry>\n    <id>([^<]*)</id>.*?\n  </entry>\n?", re.DOTALL)
MAX_BYTES = 200_000_000
MAX_DIGITS = 9


def check_documents(context: Context, connection: Connection) -> set[str]:
    """Mark missing and altered documents, so that they are written again.

    They are compared by size and time, in a full build by checksum.  Returns the keys of their
    feeds.
    """
    publication, destination = context.publication, context.destination
    left: dict[tuple[str, int], list[PublishedFile]] = {}
    for feed, number, file in published.documents(connection):
        left.setdefault((feed, number), []).append(file)
    missing: dict[str, set[int]] = {}
    for feed, number in archive_places.written(connection):
        spec = publication.spec_of(feed)
        if spec is None:
            continue
        path = publication.archive_path(spec, number)
        files = left.pop((feed, number), None)
        if files is None:
            # Written before files were stored, or adopted.
            files = _left_files(context, path)
            published.save_files_of(connection, {(feed, number): files})
        is_whole = {file.path for file in files} == set(destination.names([path]))
        if not is_whole or not destination.is_as_left(files, full=context.full):
            missing.setdefault(feed, set()).add(number)
    for feed, numbers in missing.items():
        archive_places.write_again(connection, feed, numbers)
    return set(missing)


def adopt(context: Context, connection: Connection, spec: FeedSpec, after: int = 0) -> None:
    """Adopt documents with numbers above `after`, which an earlier store wrote.

    They stay as they are and get no more entries, since they may have the only copy of an
    article.  An entry whose date is the article's is its newest revision.  A torn document is
    written again with the articles that are known, and a missing one between others without
    entries, so that the chain of links is whole.
    """
    found = _left_documents(context, spec, after)
    if not found:
        return
    codes = {code for entries, _ in found.values() for code in entries}
    articles: Mapping[str, Article] = articles_of(connection, codes)
    lowest: dict[str, int] = {}
    for code, revision in archive_places.placed(connection, spec.key, codes):
        lowest[code] = min(revision, lowest.get(code, revision))
    for number in range(max(found), after, -1):
        entries, is_whole = found.get(number, ({}, False))
        places = []
        for code, updated in entries.items():
            revision = _revision(articles.get(code), updated)
            revision = min(revision, lowest.get(code, revision + 1) - 1)
            lowest[code] = revision
            places.append((code, revision))
        # A document shows its last place first.
        document = Archive(number, tuple(reversed(places)), is_sealed=True, is_written=is_whole)
        archive_places.save(connection, spec.key, [document])
        archive_places.save_places(connection, spec.key, number, document.places)
        files = _left_files(context, context.publication.archive_path(spec, number))
        published.save_files_of(connection, {(spec.key, number): files})


def _left_documents(
    context: Context, spec: FeedSpec, after: int
) -> dict[int, tuple[dict[str, datetime.datetime], bool]]:
    """Return the archive documents of a feed that are on disk, with numbers above `after`.

    By number: the date of each of their articles, and whether they are whole.
    """
    found = {}
    pattern = context.publication.archive_path(spec, 0).replace(".0.", ".*.")
    for path in context.destination.find(pattern):
        number = path.rsplit(".", 2)[1]
        if not number.isdecimal() or int(number) <= after or len(number) > MAX_DIGITS:
            continue
        try:
            data = context.destination.read(path, MAX_BYTES) or b""
        except PublishError as error:
            raise StoreError(
                f"{error}. It may have the only copy of articles: repair the file, or remove it"
            ) from error
        found[int(number)] = (_entries(data, context.publication), _is_whole(data))
    return found


def _left_files(context: Context, path: str) -> list[PublishedFile]:
    """Return a document on disk, also in each content coding."""
    found = map(context.destination.left_file, context.destination.names([path]))
    return [file for file in found if file is not None]


def _is_whole(data: bytes) -> bool:
    return data.rstrip().endswith(b"</feed>")


def _revision(article: Article | None, updated: datetime.datetime) -> int:
    """Return which revision of an article an entry with this date shows."""
    if article is None:
        return 1
    newest = max(article.revision, 1)
    return newest if updated == (article.updated or article.published) else newest - 1


def _entries(data: bytes, publication: Publication) -> dict[str, datetime.datetime]:
    """Return the codes of a document's entries with their dates."""
    from aggregator.publish.read_back import published_entries

    return {
        code: entry.updated
        for entry in published_entries(data, ".atom")
        if entry.published and entry.updated
        if (code := code_of_entry_id(publication.site.tag, entry.id)) is not None
    }


def trimmed(destination: Destination, path: str, tag: str, archive: Archive) -> bytes:
    """Return a published document without the entries of articles that are not in `archive`.

    Raises `PublishError` if it cannot be read, or lacks an entry.
    """
    data = destination.read(path, MAX_BYTES)
    if data is None:
        raise PublishError(f"{destination.place(path)}: cannot be read: there is no such file")
    codes = {code for code, _ in archive.places}
    found = set()

    def kept(entry: re.Match[bytes]) -> bytes:
        code = code_of_entry_id(tag, entry[1].decode("utf-8", "replace"))
        found.add(code)
        return entry[0] if code in codes else b""

    left = _ENTRY.sub(kept, data)
    if not _is_whole(data) or not codes <= found:
        raise PublishError(
            f"{destination.place(path)}: is damaged, and some of its articles are known from it "
            "alone: restore it from a backup, or remove it and lose them"
        )
    return left
