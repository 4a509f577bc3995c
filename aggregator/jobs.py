"""What there is to render: feeds that show something else than last, and their archives."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator import archiving, rendering
from aggregator.archiving import Changes
from aggregator.feeds import Publication, as_archive, make_document, make_entry
from aggregator.model import (
    Activity,
    Archive,
    Article,
    Entry,
    FeedOrigin,
    FeedSpec,
    FeedState,
    Headline,
    SourceName,
)
from aggregator.packing import pack
from aggregator.publish.files import is_as_left
from aggregator.rendering import Body, Job
from aggregator.store import Store, archives, reads, renditions, statistics

HEADLINES = 3
# Feeds whose archives are decided in one transaction.
AT_ONCE = 32
# Archive documents whose articles are read at once.
TOGETHER = 8
ACTIVE_DAYS = datetime.timedelta(days=30)


@dataclass(slots=True)
class Jobs:
    """The jobs of one build; `manifest` is what was published, as the build goes on.

    `restated` collects the states of feeds that look as before, but count otherwise.
    """

    store: Store
    publication: Publication
    manifest: Mapping[str, FeedState]
    directory: Path
    now: datetime.datetime
    changes: Changes
    full: bool = False
    restated: list[FeedState] = field(default_factory=list)

    def of(self, specs: Iterable[FeedSpec]) -> Iterator[Job]:
        """What is to render of some feeds: each feed after its archives."""
        for job in self._of(specs):
            # Loaded only if there is something to render, and before workers share it.
            rendering.load((*self.publication.formats, "atom"))
            yield job

    def _of(self, specs: Iterable[FeedSpec]) -> Iterator[Job]:
        rest = iter(specs)
        while some := list(islice(rest, AT_ONCE)):
            with self.store.transaction() as connection:
                windows = [self._window(connection, spec) for spec in some]
            for spec, window in zip(some, windows, strict=True):
                if self.publication.has_archives:
                    yield from self._archives(spec)
                job = self._feed(spec, window)
                if job is not None:
                    yield job

    def _window(self, connection: Connection, spec: FeedSpec) -> list[Article]:
        window = reads.window(connection, spec, self.now)
        if self.publication.has_archives:
            archiving.update(
                connection,
                self.publication,
                spec,
                {article.code for article in window},
                self.changes,
                self.directory,
                self.now,
            )
            old = self.manifest.get(spec.key)
            if self.full or (old is not None and not is_as_left(old.files, self.directory)):
                archiving.check_files(connection, self.publication, spec, self.directory)
        return window

    def _archives(self, spec: FeedSpec) -> Iterator[Job]:
        """The documents of older entries that are not on disk as they should be."""
        rules = self.publication.rules(spec)
        number = 0
        while True:
            with self.store.transaction() as connection:
                some = archives.to_write(connection, spec.key, number, TOGETHER)
                articles = reads.articles_of(
                    connection, [code for archive in some for code in archive.codes]
                )
                ready = [
                    archive for archive in some if self._is_due(spec, archive, articles, rules)
                ]
                shown = {
                    archive.number: [
                        articles[code]
                        # One that arrived later stands before one that was there.
                        for code in reversed(archive.codes)
                        if code in articles and _is_shown(articles[code])
                    ]
                    for archive in ready
                }
                bodies = self._bodies(
                    connection, [item for page in shown.values() for item in page]
                )
            for archive in ready:
                yield self._archive(spec, archive, shown[archive.number], bodies, rules)
            if len(some) < TOGETHER:
                return
            number = some[-1].number

    def _is_due(
        self, spec: FeedSpec, archive: Archive, known: Mapping[str, Article], rules: bytes
    ) -> bool:
        """Whether a document is not on disk as it should be."""
        articles = [known[code] for code in archive.codes if code in known]
        if archive.is_written:
            return archive.fingerprint != _archive_fingerprint(rules, archive, articles)
        path = self.directory / self.publication.archive_path(spec, archive.number)
        # Of an article that a lost store had, the text may be there and nowhere else.
        is_lost = not all(article.revision for article in articles)
        return not (is_lost and path.exists())

    def _archive(
        self,
        spec: FeedSpec,
        archive: Archive,
        articles: list[Article],
        bodies: Mapping[str, Body],
        rules: bytes,
    ) -> Job:
        names, origins = self._named(spec, articles)
        entries = self._entries(articles, names)
        source = names[spec.source] if spec.source is not None else None
        document = make_document(self.publication, spec, source, entries, origins)
        return Job(
            key=spec.key,
            document=as_archive(self.publication, spec, document, archive),
            paths={"atom": self.publication.archive_path(spec, archive.number)},
            bodies=tuple(bodies[article.code] for article in articles),
            revisions=tuple((article.code, article.revision) for article in articles),
            fingerprint=_archive_fingerprint(rules, archive, articles),
            archive=archive.number,
        )

    def _feed(self, spec: FeedSpec, articles: list[Article]) -> Job | None:
        """The feed that people subscribe to; None if it shows what it showed last."""
        publication = self.publication
        names, origins = self._named(spec, articles)
        with self.store.transaction() as connection:
            archive = archives.newest(connection, spec.key) if publication.has_archives else None
            number = archive.number if archive is not None else None
            activity = self._activity(connection, spec, self._entries(articles[:HEADLINES], names))
            rules = publication.rules(spec)
            fingerprint = _fingerprint(rules, articles, names, origins, number)
            old = self.manifest.get(spec.key)
            if (
                old is not None
                and not self.full
                and (old.rules, old.fingerprint) == (rules, fingerprint)
                and is_as_left(old.files, self.directory)
            ):
                if old.activity != activity:
                    self.restated.append(replace(old, activity=activity))
                return None
            bodies = self._bodies(connection, articles)
        entries = self._entries(articles, names)
        source = names[spec.source] if spec.source is not None else None
        document = make_document(publication, spec, source, entries, origins, number)
        return Job(
            key=spec.key,
            document=document,
            paths=publication.feed_paths(spec),
            bodies=tuple(bodies[article.code] for article in articles),
            revisions=tuple((article.code, article.revision) for article in articles),
            fingerprint=fingerprint,
            state=FeedState(
                key=spec.key,
                title=publication.subject_name(spec, source),
                rules=rules,
                fingerprint=fingerprint,
                entries=len(entries),
                updated=document.updated,
                checked_at=self.now,
                activity=activity,
            ),
        )

    def _entries(
        self, articles: Iterable[Article], names: Mapping[str, SourceName]
    ) -> tuple[Entry, ...]:
        return tuple(
            make_entry(self.publication, article, names[article.source]) for article in articles
        )

    def _named(
        self, spec: FeedSpec, articles: list[Article]
    ) -> tuple[dict[str, SourceName], dict[str, FeedOrigin]]:
        """How the sources of some articles are named, and their feeds if that is another one."""
        names = self._names(spec, articles)
        return names, {} if spec.source is not None else self._origins(articles, names)

    def _names(self, spec: FeedSpec, articles: Iterable[Article]) -> dict[str, SourceName]:
        """By config, else by the newest article of the source."""
        publication = self.publication
        names: dict[str, SourceName] = {}
        if spec.source is not None:
            names[spec.source] = publication.source_name(spec.source, None)
        for article in articles:
            key = article.source
            learnt = article.source_name
            if spec.source is None:
                state = self.manifest.get(publication.source_spec(key).key)
                learnt = state.title if state is not None else learnt
            if key not in names or (learnt and names[key].name == key):
                names[key] = publication.source_name(key, learnt)
        return names

    def _origins(
        self, articles: Iterable[Article], names: Mapping[str, SourceName]
    ) -> dict[str, FeedOrigin]:
        publication = self.publication
        origins = {}
        for key in {article.source for article in articles}:
            spec = publication.source_spec(key)
            state = self.manifest.get(spec.key)
            if state is not None:
                origins[key] = FeedOrigin(
                    publication.feed_id(spec),
                    publication.feed_title(names[key].name),
                    publication.feed_urls(spec),
                    state.updated.astimezone(ZoneInfo(publication.timezone)),
                )
        return origins

    def _bodies(self, connection: Connection, articles: list[Article]) -> dict[str, Body]:
        """For each article its clean HTML, or its text where that is not clean yet."""
        publication = self.publication
        clean = renditions.renditions(connection, articles, publication.cleaning)
        raw = {item.body_id for item in articles if item.code not in clean and item.body_id}
        texts = reads.bodies(connection, raw) if raw else {}
        return {
            article.code: Body(clean[article.code])
            if article.code in clean
            else Body(
                texts.get(article.body_id or 0, pack("")),
                article.media_type,
                publication.base(article),
            )
            for article in articles
        }

    def _activity(
        self, connection: Connection, spec: FeedSpec, newest: tuple[Entry, ...]
    ) -> Activity:
        """What the page tells of a feed; that of all sources together is known from theirs."""
        headlines = tuple(
            Headline(entry.title, entry.alternate, entry.published.astimezone(datetime.UTC))
            for entry in newest
        )
        if not newest or spec.kind == "all" or not self.publication.has_page:
            return Activity(newest=headlines)
        last = newest[0].published
        count, days = statistics.activity(
            connection, spec, last - ACTIVE_DAYS, self.now, last.utcoffset() or ACTIVE_DAYS * 0
        )
        return Activity(count, tuple(days), headlines)


def _fingerprint(
    rules: bytes,
    articles: Iterable[Article],
    names: Mapping[str, SourceName],
    origins: Mapping[str, FeedOrigin],
    newest_archive: int | None,
) -> bytes:
    """A digest of all that a document shows, made without reading a text."""
    shown = (
        [(article.code, article.revision, article.version) for article in articles],
        sorted((key, name.name) for key, name in names.items()),
        sorted((key, origin.updated.isoformat()) for key, origin in origins.items()),
        newest_archive,
    )
    return hashlib.blake2b(rules + repr(shown).encode(), digest_size=16).digest()


def _archive_fingerprint(rules: bytes, archive: Archive, articles: Iterable[Article]) -> bytes:
    """The same for a document of older entries."""
    sealed = b"sealed" if archive.is_sealed else b"open"
    shown = [article for article in articles if _is_shown(article)]
    return _fingerprint(rules + sealed, sorted(shown, key=lambda item: item.code), {}, {}, None)


def _is_shown(article: Article) -> bool:
    return article.revision > 0 and not article.removed
