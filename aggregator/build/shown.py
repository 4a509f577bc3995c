"""What a document shows: a digest of it, and the revisions in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from aggregator.model.articles import Article
from aggregator.model.digests import digest
from aggregator.model.feeds import Archive, FeedOrigin, SourceName
from aggregator.store.articles import articles_of, superseded


def fingerprint_of(
    rules: bytes,
    articles: Iterable[Article],
    names: Mapping[str, SourceName],
    origins: Mapping[str, FeedOrigin],
    newest_archive: int | None,
    also: Sequence[object] = (),
) -> bytes:
    """Return a digest of all that a document shows, without reading a text.

    `also` is what its entries say of related ones.
    """
    shown = (
        [(article.code, article.revision, article.version) for article in articles],
        sorted((key, name.name) for key, name in names.items()),
        sorted((key, str(origin.updated)) for key, origin in origins.items()),
        newest_archive,
        *also,
    )
    return digest(rules + repr(shown).encode())


def archive_fingerprint(
    rules: bytes,
    archive: Archive,
    articles: Iterable[Article],
    names: Mapping[str, SourceName],
) -> bytes:
    """Return the same for an archive document."""
    sealed = b"sealed" if archive.is_sealed else b"open"
    return fingerprint_of(rules + sealed, articles, names, {}, None)


class Revisions:
    """The articles of the given places (code, revision) in those revisions, if known."""

    def __init__(self, connection: Connection, places: Collection[tuple[str, int]]) -> None:
        self._newest = articles_of(connection, {code for code, _ in places})
        self._older = superseded(
            connection,
            [
                self._newest[code]
                for code, revision in places
                if code in self._newest and self._newest[code].revision > max(revision, 0)
            ],
        )

    def shown(self, archive: Archive) -> list[Article]:
        """Return the articles as a document shows them: the last that arrived comes first."""
        found = (self._article(*place) for place in reversed(archive.places))
        return [article for article in found if article is not None]

    def are_known(self, archive: Archive) -> bool:
        """Return whether all that a document should show is known, so it can be rewritten."""
        return all(
            self._article(*place) is not None
            for place in archive.places
            if not (place[0] in self._newest and self._newest[place[0]].is_withdrawn)
        )

    def is_newest(self, key: tuple[str, int]) -> bool:
        """Return whether this is the newest revision of its article."""
        return self._newest[key[0]].revision == key[1]

    def _article(self, code: str, revision: int) -> Article | None:
        newest = self._newest.get(code)
        if newest is None or newest.is_withdrawn or newest.revision == 0:
            return None
        return newest if newest.revision == revision else self._older.get((code, revision))
