"""Which articles leave a feed's window, and into which archive document they go (RFC 5005 §4).

Documents fill in the order in which articles arrived; a full one is sealed when the next
one is begun.  What was decided is stored before it is written to disk, and a revision has
one place in a feed: whatever is decided again, after a crash or because another feed
failed, comes out the same.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from aggregator.articles.identity import code_of_entry_id
from aggregator.model.articles import Article
from aggregator.model.errors import StoreError
from aggregator.model.feeds import Archive, FeedSpec, PublishedFile
from aggregator.publish.compression import with_packed
from aggregator.publish.files import is_as_left, left_file
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, published
from aggregator.store.articles import articles_of

# An entry as publish/atom.py writes it, and its id.
_ENTRY = re.compile(rb"  <entry>\n    <id>([^<]*)</id>.*?\n  </entry>\n?", re.DOTALL)
PAGE = 5_000
MAX_BYTES = 200_000_000
MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Changes:
    """What the last polls did to articles that had arrived before.

    Those that come `again` have words, or a feed, that older documents do not show;
    `removed` ones are to be shown nowhere.  `last_arrival` is the newest article's number.
    """

    again: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    last_arrival: int = 0


def assign(newest: Archive | None, places: Sequence[tuple[str, int]], size: int) -> list[Archive]:
    """Put revisions into documents of `size`; return the documents that this changes.

    >>> [(a.number, a.places, a.is_sealed) for a in assign(Archive(1, ("a",)), "bcd", 2)]
    [(1, ('a', 'b'), True), (2, ('c', 'd'), False)]
    """
    if not places:
        return []
    current = newest or Archive(1, ())
    changed = []
    rest = tuple(places)
    while rest:
        room = 0 if current.is_sealed else size - len(current.places)
        if room <= 0:
            if not current.is_sealed:
                changed.append(replace(current, is_sealed=True, is_written=False))
            current = Archive(current.number + 1, ())
            continue
        current = replace(current, places=(*current.places, *rest[:room]), is_written=False)
        rest = rest[room:]
    return [*changed, current]


def update(
    connection: Connection,
    publication: Publication,
    spec: FeedSpec,
    shown: Collection[str],
    changes: Changes,
    directory: Path,
    now: datetime.datetime,
) -> None:
    """Decide where the articles go that a feed does not show any more.

    `shown` are the codes in its window.
    """
    feed, moment = spec.key, int(now.timestamp())
    upto = archive_places.progress(connection, feed)
    if upto is None:
        upto = 0
        _adopt(connection, publication, spec, directory)
    for code in changes.removed:
        archive_places.withdraw(connection, feed, code)
    before = archive_places.unplaced(connection, feed)
    waiting = before | changes.again
    old = archive_places.arrivals_of(connection, spec, waiting) if waiting else []
    newest = archive_places.newest(connection, feed)
    if newest is not None:
        # Of a store that was put back from a backup, newer documents may be there.
        path = directory / publication.archive_path(spec, newest.number + 1)
        if path.exists():
            _adopt(connection, publication, spec, directory, newest.number)
            newest = archive_places.newest(connection, feed)
    is_first = newest is None  # nothing has a place yet, and nothing arrives twice
    while True:
        new = archive_places.arrivals(connection, spec, upto, PAGE)
        arrived = {item.code: item for item in (*old, *new)}.values()
        known = (
            set()
            if is_first
            else archive_places.placed(connection, feed, {item.code for item in arrived})
        )
        rest = [item for item in arrived if (item.code, item.revision) not in known]
        leaving = [item for item in rest if item.code not in shown and item.published <= moment]
        newest = _less_older(connection, feed, newest, {item.code for item in leaving})
        changed = assign(newest, [(item.code, item.revision) for item in leaving], spec.limit)
        _save(connection, feed, newest, changed)
        newest = changed[-1] if changed else newest
        upto = new[-1].number if len(new) == PAGE else max(changes.last_arrival, upto)
        now_unplaced = {item.code for item in rest}.difference(item.code for item in leaving)
        archive_places.save_progress(connection, feed, upto, before, now_unplaced)
        if len(new) < PAGE:
            return
        before = now_unplaced
        old = archive_places.arrivals_of(connection, spec, before)


def check_documents(
    connection: Connection, publication: Publication, directory: Path, *, full: bool
) -> set[str]:
    """Have those documents written again that are not on disk as they were left.

    By their `stat`; with `full` by their content.  Returns the keys of their feeds.
    """
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
            # Written when files were not noted, or read back after the store was lost.
            files = _left_files(publication, directory, path)
            published.save_documents(connection, {(feed, number): files})
        is_whole = {file.path for file in files} == set(with_packed([path], publication.codings))
        if not is_whole or not is_as_left(files, directory, full=full):
            missing.setdefault(feed, set()).add(number)
    for feed, numbers in missing.items():
        archive_places.write_again(connection, feed, numbers)
    return set(missing)


def _less_older(
    connection: Connection, feed: str, newest: Archive | None, codes: set[str]
) -> Archive | None:
    """The open document less the older revisions of articles that come again.

    It is written again anyway; only in a sealed one they stay.
    """
    if newest is None or newest.is_sealed or codes.isdisjoint(code for code, _ in newest.places):
        return newest
    older = [place for place in newest.places if place[0] in codes]
    archive_places.remove_places(connection, feed, older)
    kept = tuple(place for place in newest.places if place not in older)
    return replace(newest, places=kept)


def trimmed(data: bytes, tag: str, codes: Collection[str]) -> tuple[bytes, set[str]] | None:
    """A published archive document less the entries of other articles than `codes`.

    Also returns the codes that it has no entry of; None if the document is torn.
    """
    if not _is_whole(data):
        return None
    missing = set(codes)

    def kept(entry: re.Match[bytes]) -> bytes:
        code = code_of_entry_id(tag, entry[1].decode("utf-8", "replace"))
        if code is None or code not in codes:
            return b""
        missing.discard(code)
        return entry[0]

    return _ENTRY.sub(kept, data), missing


def _save(
    connection: Connection, feed: str, newest: Archive | None, changed: Sequence[Archive]
) -> None:
    archive_places.save(connection, feed, changed)
    for archive in changed:
        is_begun = newest is not None and archive.number == newest.number
        added = archive.places[len(newest.places) :] if newest and is_begun else archive.places
        archive_places.save_places(connection, feed, archive.number, added, is_begun=is_begun)


def _adopt(
    connection: Connection,
    publication: Publication,
    spec: FeedSpec,
    directory: Path,
    after: int = 0,
) -> None:
    """Take over documents with numbers past `after` that another store has left.

    They stay as they are and take no more, since some of their articles may be known from
    them alone.  An entry that was updated when the article was has its newest revision.
    A torn one is written again as far as its articles are known, and one that is missing
    between others is written without entries, so that the way through them is whole.
    """
    found = _left_documents(publication, spec, directory, after)
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
        files = _left_files(publication, directory, publication.archive_path(spec, number))
        published.save_documents(connection, {(spec.key, number): files})


def _left_documents(
    publication: Publication, spec: FeedSpec, directory: Path, after: int
) -> dict[int, tuple[dict[str, datetime.datetime], bool]]:
    """The archive documents of a feed that are on disk, past the number `after`.

    By number: when each of their articles was updated, and whether they are whole.
    """
    found = {}
    pattern = publication.archive_path(spec, 0).replace(".0.", ".*.")
    for path in directory.glob(pattern):
        number = path.name.rsplit(".", 2)[1]
        if not number.isdecimal() or int(number) <= after or len(number) > MAX_DIGITS:
            continue
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES)
        except IsADirectoryError:
            continue
        except OSError as error:
            raise StoreError(
                f"{path}: cannot be read: {error.strerror}. It may hold what nothing else does: "
                "mend the file, or remove it"
            ) from error
        found[int(number)] = (_entries(data, publication), _is_whole(data))
    return found


def _left_files(publication: Publication, directory: Path, path: str) -> list[PublishedFile]:
    """A document and its packed files, as they lie on disk."""
    found = (left_file(directory, name) for name in with_packed([path], publication.codings))
    return [file for file in found if file is not None]


def _is_whole(data: bytes) -> bool:
    return data.rstrip().endswith(b"</feed>")


def _revision(article: Article | None, updated: datetime.datetime) -> int:
    """Which revision of an article an entry shows that was updated at this time."""
    if article is None:
        return 1
    newest = max(article.revision, 1)
    return newest if updated == (article.updated or article.published) else newest - 1


def _entries(data: bytes, publication: Publication) -> dict[str, datetime.datetime]:
    """The codes of a document's entries, and when each was updated."""
    from aggregator.publish.read_back import dated_entries

    return {
        code: entry.updated
        for entry in dated_entries(data, ".atom")
        if (code := code_of_entry_id(publication.tag, entry.id)) is not None
    }
