"""What there is to render: feeds that would show something new, and their archives."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator.build import archives, entries, rendering
from aggregator.build.archives import Changes
from aggregator.build.context import Context
from aggregator.build.entries import SourceNames
from aggregator.build.related import also_reported, with_related
from aggregator.build.rendering import DocumentState, Job
from aggregator.build.shown import Revisions, archive_fingerprint, fingerprint_of
from aggregator.build.sizes import Limits
from aggregator.model.articles import NO_SOURCE, Article
from aggregator.model.feeds import (
    Activity,
    Archive,
    Entry,
    FeedDocument,
    FeedOrigin,
    FeedSpec,
    FeedState,
    Headline,
    SourceName,
)
from aggregator.publish.documents import as_archive, make_document, make_entry
from aggregator.store import archive_places, statistics

HEADLINES = 3
# Feeds whose archives are decided in one transaction.
PER_TRANSACTION = 32
# Archive documents whose articles are read at a time.
TOGETHER = 8
ACTIVE_DAYS = datetime.timedelta(days=30)


@dataclass(slots=True)
class Jobs:
    """The jobs of one build.

    `recounted`: feeds whose entries are unchanged but whose article counts changed.
    `kept` are archive documents that have the only copy of a text, and may only be trimmed.
    `limits` are those of feeds that are cut.
    """

    context: Context
    changes: Changes
    recounted: list[FeedState] = field(default_factory=list)
    kept: list[tuple[FeedSpec, Archive]] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    names: SourceNames = field(init=False)

    def __post_init__(self) -> None:
        self.names = SourceNames(self.context)

    def of(self, specs: Iterable[FeedSpec]) -> Iterator[Job]:
        """Yield the documents to render of the given feeds, archive documents first."""
        for job in self._of(specs):
            # Only if there is something to render, and before workers are forked.
            rendering.load((*self.context.publication.feeds.formats, "atom"))
            yield rendering.by_settings(job, self.context.publication)

    def _of(self, specs: Iterable[FeedSpec]) -> Iterator[Job]:
        rest = iter(specs)
        while some := list(islice(rest, PER_TRANSACTION)):
            with self.context.store.transaction() as connection:
                windows = [self._window(connection, spec) for spec in some]
            for spec, window in zip(some, windows, strict=True):
                if self.context.publication.feeds.archives:
                    yield from self._archives(spec)
                job = self._feed(spec, window)
                if job is not None:
                    yield job

    def _window(self, connection: Connection, spec: FeedSpec) -> list[Article]:
        window = self.limits.window(self.context, connection, spec)
        if self.context.publication.feeds.archives:
            shown = {article.code for article in window}
            archives.update(self.context, connection, spec, shown, self.changes)
        return window

    def _archives(self, spec: FeedSpec) -> Iterator[Job]:
        """Yield the archive documents to write."""
        publication = self.context.publication
        rules = publication.rules(spec)
        number = 0
        while True:
            with self.context.store.transaction() as connection:
                some = archive_places.to_write(connection, spec.key, number, TOGETHER)
                newest = (archive_places.newest_number(connection, spec.key) or 0) if some else 0
                revisions = Revisions(connection, [place for page in some for place in page.places])
                due = []
                for archive in some:
                    articles = revisions.shown(archive)
                    names = self.names.of(connection, articles, spec.source)
                    fingerprint = archive_fingerprint(rules, archive, articles, names)
                    if self._is_due(spec, archive, revisions, fingerprint):
                        due.append((archive, articles, names, fingerprint))
                shown = [item for _, found, *_ in due for item in found]
                bodies = entries.bodies(self.context, connection, shown)
            for archive, articles, names, fingerprint in due:
                # A document adopted from an earlier store is sealed, but may have no successor.
                place = replace(archive, is_sealed=archive.number < newest)
                document = self._document(spec, articles, names, self._origins(spec, names))
                texts = (bodies[article.code, article.revision] for article in articles)
                yield Job(
                    state=DocumentState(spec.key, archive.number, fingerprint),
                    document=as_archive(publication, spec, document, place),
                    paths={"atom": publication.archive_path(spec, archive.number)},
                    bodies=tuple(
                        body if revisions.is_newest(body.revision) else replace(body, is_kept=False)
                        for body in texts
                    ),
                )
            if len(some) < TOGETHER:
                return
            number = some[-1].number

    def _is_due(
        self, spec: FeedSpec, archive: Archive, revisions: Revisions, fingerprint: bytes
    ) -> bool:
        """Return whether an archive document must be written."""
        if archive.is_written:
            return archive.fingerprint != fingerprint
        if revisions.are_known(archive):
            return True
        # It may have the only copy of a text that a lost store had.
        destination = self.context.destination
        path = self.context.publication.archive_path(spec, archive.number)
        if destination.exists(path):
            self.kept.append((spec, archive))
            return False
        self.context.summary.failures.append(
            f"{destination.place(path)}: is missing, and some of its articles were known from it "
            "alone: they are lost, unless a backup has it"
        )
        return True

    def _feed(self, spec: FeedSpec, articles: list[Article]) -> Job | None:
        """Return the subscription document, or None if it is unchanged."""
        context, publication = self.context, self.context.publication
        with context.store.transaction() as connection:
            names = self.names.of(connection, articles, spec.source)
            origins = self._origins(spec, names, live=True)
            number = (
                archive_places.newest_number(connection, spec.key)
                if publication.feeds.archives
                else None
            )
            activity = self._activity(connection, spec, self._entries(articles[:HEADLINES], names))
            rules = publication.rules(spec)
            name = partial(self.names.of, connection)
            also = also_reported(publication, connection, articles, context.now, name)
            fingerprint = fingerprint_of(rules, articles, names, origins, number, also)
            old = context.manifest.get(spec.key)
            if (
                old is not None
                and not context.full
                and (old.rules, old.fingerprint) == (rules, fingerprint)
                and context.destination.is_as_left(old.files)
            ):
                if old.activity != activity:
                    self.recounted.append(replace(old, activity=activity))
                return None
            bodies = entries.bodies(self.context, connection, articles)
        document = with_related(self._document(spec, articles, names, origins, number), also)
        source = names.get(spec.source) if spec.source else None
        return Job(
            state=FeedState(
                key=spec.key,
                title=publication.subject_name(spec, source),
                rules=rules,
                fingerprint=fingerprint,
                entries=len(articles),
                updated=document.updated,
                checked_at=context.now,
                activity=activity,
                whole=self.limits.whole[spec.key],
            ),
            document=document,
            paths=publication.feed_paths(spec),
            bodies=tuple(bodies[article.code, article.revision] for article in articles),
        )

    def _document(
        self,
        spec: FeedSpec,
        articles: Iterable[Article],
        names: Mapping[str, SourceName],
        origins: Mapping[str, FeedOrigin],
        newest_archive: int | None = None,
    ) -> FeedDocument:
        source = names[spec.source] if spec.source is not None else None
        entries = self._entries(articles, names)
        publication = self.context.publication
        return make_document(publication, spec, source, entries, origins, newest_archive)

    def _entries(
        self, articles: Iterable[Article], names: Mapping[str, SourceName]
    ) -> tuple[Entry, ...]:
        publication = self.context.publication
        return tuple(make_entry(publication, item, names[item.source]) for item in articles)

    def _origins(
        self, spec: FeedSpec, names: Mapping[str, SourceName], *, live: bool = False
    ) -> dict[str, FeedOrigin]:
        """Return the sources' own feeds, in a feed of several; `live` ones with their dates."""
        if spec.source is not None:
            return {}
        publication, zone = (
            self.context.publication,
            ZoneInfo(self.context.publication.site.timezone),
        )
        origins = {}
        for key, name in names.items():
            if key == NO_SOURCE:
                continue
            own = publication.source_spec(key)
            state = self.context.manifest.get(own.key)
            if live and state is None:
                continue
            origins[key] = FeedOrigin(
                publication.feed_id(own),
                publication.feed_title(name.name),
                publication.feed_urls(own),
                state.updated.astimezone(zone) if live and state is not None else None,
            )
        return origins

    def _activity(
        self, connection: Connection, spec: FeedSpec, newest: tuple[Entry, ...]
    ) -> Activity:
        """Return what the index page shows of a feed; it sums up the combined one itself."""
        headlines = tuple(
            Headline(entry.title, entry.alternate, entry.published.astimezone(datetime.UTC))
            for entry in newest
        )
        if not newest or spec.kind == "all" or not self.context.publication.feeds.page:
            return Activity(newest=headlines)
        last = newest[0].published
        offset = last.utcoffset() or datetime.timedelta()
        count, days = statistics.activity(
            connection, spec, last - ACTIVE_DAYS, self.context.now, offset
        )
        return Activity(count, tuple(days), headlines)
