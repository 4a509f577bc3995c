"""What there is to render: feeds that show something else than last, and their archives."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator.build import archives, rendering
from aggregator.build.archives import Changes
from aggregator.build.rendering import Body, Job
from aggregator.build.shown import Texts, archive_fingerprint, fingerprint_of
from aggregator.model.articles import Article
from aggregator.model.feeds import (
    Activity,
    Archive,
    Entry,
    FeedOrigin,
    FeedSpec,
    FeedState,
    Headline,
    SourceName,
)
from aggregator.model.packing import pack
from aggregator.publish.files import is_as_left
from aggregator.publish.publication import Publication, as_archive, make_document, make_entry
from aggregator.store import archive_places, renditions, statistics
from aggregator.store.articles import bodies_of, source_name
from aggregator.store.database import Store
from aggregator.store.windows import window_of

HEADLINES = 3
# Feeds whose archives are decided in one transaction.
AT_ONCE = 32
# Archive documents whose articles are read at once.
TOGETHER = 8
ACTIVE_DAYS = datetime.timedelta(days=30)


@dataclass(slots=True)
class Jobs:
    """The jobs of one build; `manifest` is what was published, as the build goes on.

    `restated` collects the states of feeds that look as before, but count otherwise, `kept`
    the documents that may only be trimmed, since texts in them are known from them alone.
    """

    store: Store
    publication: Publication
    manifest: Mapping[str, FeedState]
    directory: Path
    now: datetime.datetime
    changes: Changes
    full: bool = False
    restated: list[FeedState] = field(default_factory=list)
    kept: list[tuple[FeedSpec, Archive]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    learnt: dict[str, str | None] = field(default_factory=dict)

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
        window = window_of(connection, spec, self.now)
        if self.publication.has_archives:
            archives.update(
                connection,
                self.publication,
                spec,
                {article.code for article in window},
                self.changes,
                self.directory,
                self.now,
            )
        return window

    def _archives(self, spec: FeedSpec) -> Iterator[Job]:
        """The documents of older entries that are not on disk as they should be."""
        rules = self.publication.rules(spec)
        number = 0
        while True:
            with self.store.transaction() as connection:
                some = archive_places.to_write(connection, spec.key, number, TOGETHER)
                newest = (archive_places.newest_number(connection, spec.key) or 0) if some else 0
                texts = Texts(connection, [place for page in some for place in page.places])
                ready = []
                for archive in some:
                    articles = texts.shown(archive)
                    names = self._names(connection, spec, articles)
                    fingerprint = archive_fingerprint(rules, archive, articles, names)
                    if self._is_due(spec, archive, texts, fingerprint):
                        ready.append((archive, articles, names, fingerprint))
                bodies = self._bodies(
                    connection, [item for _, articles, _, _ in ready for item in articles]
                )
            for archive, articles, names, fingerprint in ready:
                # What an earlier store has left is sealed, also where nothing follows it.
                place = replace(archive, is_sealed=archive.number < newest)
                yield self._archive(spec, place, articles, names, fingerprint, bodies, texts)
            if len(some) < TOGETHER:
                return
            number = some[-1].number

    def _is_due(self, spec: FeedSpec, archive: Archive, texts: Texts, fingerprint: bytes) -> bool:
        """Whether a document is not on disk as it should be."""
        if archive.is_written:
            return archive.fingerprint != fingerprint
        if texts.are_known(archive):
            return True
        # Of an article that a lost store had, the text may be there and nowhere else.
        path = self.directory / self.publication.archive_path(spec, archive.number)
        if path.exists():
            self.kept.append((spec, archive))
            return False
        self.failures.append(
            f"{path}: is missing, and some of its articles were known from it alone: they are "
            "lost, unless a backup has it"
        )
        return True

    def _archive(
        self,
        spec: FeedSpec,
        archive: Archive,
        articles: list[Article],
        names: Mapping[str, SourceName],
        fingerprint: bytes,
        bodies: Mapping[tuple[str, int], Body],
        texts: Texts,
    ) -> Job:
        origins = {} if spec.source is not None else self._origins(names)
        entries = self._entries(articles, names)
        source = names[spec.source] if spec.source is not None else None
        document = make_document(self.publication, spec, source, entries, origins)
        keys = [(article.code, article.revision) for article in articles]
        return Job(
            key=spec.key,
            document=as_archive(self.publication, spec, document, archive),
            paths={"atom": self.publication.archive_path(spec, archive.number)},
            bodies=tuple(bodies[key] for key in keys),
            revisions=tuple(key if texts.is_newest(key) else None for key in keys),
            fingerprint=fingerprint,
            archive=archive.number,
        )

    def _feed(self, spec: FeedSpec, articles: list[Article]) -> Job | None:
        """The feed that people subscribe to; None if it shows what it showed last."""
        publication = self.publication
        with self.store.transaction() as connection:
            names = self._names(connection, spec, articles)
            origins = {} if spec.source is not None else self._origins(names, live=True)
            number = (
                archive_places.newest_number(connection, spec.key)
                if publication.has_archives
                else None
            )
            activity = self._activity(connection, spec, self._entries(articles[:HEADLINES], names))
            rules = publication.rules(spec)
            fingerprint = fingerprint_of(rules, articles, names, origins, number)
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
            bodies=tuple(bodies[article.code, article.revision] for article in articles),
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

    def _names(
        self, connection: Connection, spec: FeedSpec, articles: Iterable[Article]
    ) -> dict[str, SourceName]:
        """How the sources of some articles are named: by config, else by their newest article.

        What another feed was published as says nothing here, since it may have failed.
        """
        publication = self.publication
        sources = {article.source for article in articles}
        if spec.source is not None:
            sources.add(spec.source)
        for source in sources - self.learnt.keys():
            self.learnt[source] = source_name(connection, source, self.now)
        return {source: publication.source_name(source, self.learnt[source]) for source in sources}

    def _origins(
        self, names: Mapping[str, SourceName], *, live: bool = False
    ) -> dict[str, FeedOrigin]:
        """The sources' own feeds; `live` ones say when they were updated."""
        publication, zone = self.publication, ZoneInfo(self.publication.timezone)
        origins = {}
        for key, name in names.items():
            spec = publication.source_spec(key)
            state = self.manifest.get(spec.key)
            if live and state is None:
                continue
            origins[key] = FeedOrigin(
                publication.feed_id(spec),
                publication.feed_title(name.name),
                publication.feed_urls(spec),
                state.updated.astimezone(zone) if live and state is not None else None,
            )
        return origins

    def _bodies(
        self, connection: Connection, articles: list[Article]
    ) -> dict[tuple[str, int], Body]:
        """For each revision its clean HTML, or its text where that is not clean yet."""
        publication = self.publication
        clean = renditions.renditions(connection, articles, publication.cleaning)
        raw = {
            item.body_id
            for item in articles
            if item.body_id and (item.code, item.revision) not in clean
        }
        texts = bodies_of(connection, raw) if raw else {}
        return {
            (article.code, article.revision): Body(clean[article.code, article.revision])
            if (article.code, article.revision) in clean
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
