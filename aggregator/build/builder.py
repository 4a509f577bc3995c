"""One build: from the store to feeds on disk."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from aggregator import processes
from aggregator.articles.identity import named_source
from aggregator.build import (
    archive_files,
    article_pages,
    comparison,
    exclusions,
    index_page,
    indexing,
    selections,
    title_lists,
)
from aggregator.build.archives import Changes
from aggregator.build.context import Context
from aggregator.build.output import Output, produce
from aggregator.build.plan import Jobs
from aggregator.model.articles import FORMER_NO_SOURCE, NO_SOURCE
from aggregator.model.errors import (
    DamagedStoreError,
    PublishError,
    StoreError,
)
from aggregator.model.feeds import FeedSpec, FeedState
from aggregator.model.reports import Report, no_report
from aggregator.model.summaries import BuildSummary
from aggregator.publish.destination import Destination
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, published, renditions, selected, statistics, windows
from aggregator.store.articles import articles_of, has_remembered
from aggregator.store.database import Store
from aggregator.store.windows import last_arrival, sources_due, window_of

MAX_CLOCK_STEP = datetime.timedelta(days=2)


def build(
    store: Store,
    publication: Publication,
    destination: Destination,
    now: datetime.datetime,
    *,
    only_source: str | None = None,
    full: bool = False,
    allow_empty: bool = False,
    dry_run: bool = False,
    checks_archives: bool = True,
    search_index: Path | None = None,
    report: Report = no_report,
) -> BuildSummary:
    """Publish every feed that would look different, and bring the search index up to date.

    `only_source` builds the feed of one source alone; `full` compares every feed and
    sanitizes every text again.  Without `checks_archives`, documents of archives are written
    where entries come or change, and are not looked for: there are very many.  A feed that
    cannot be written is a failure in the summary, and the next build tries it again; the others
    are written.
    """
    try:
        # Before the store is read: what is published is then no newer than what it says.
        destination.begin(dry_run=dry_run)
    except PublishError as error:
        return BuildSummary(failures=[str(error)])
    with store.transaction() as connection:
        if full:
            renditions.clear_renditions(connection)
        manifest = published.feed_states(connection)
    now = _monotonic(now, manifest)
    exclusions.update(store, publication, report)
    comparison.update(store, publication.feeds.similar, now, report)
    with store.transaction() as connection:
        changed = published.changed_codes(connection)
    selections.update(store, publication, changed, report)
    context = Context(
        store, publication, destination, now, manifest, full, dry_run, checks_archives, report
    )
    if not dry_run:
        article_pages.decide(context, changed)
    specs = _specs(context)
    context.summary.feeds = len(specs)
    source = None
    if only_source is not None:
        source = named_source(
            only_source, [spec.subject for spec in specs if spec.source is not None]
        )
    if not allow_empty and _would_empty(context):
        context.summary.failures.append(
            f"{destination.place('')}: no article is left to publish where there were some; the "
            "feeds were kept. If that is meant, use --allow-empty"
        )
        return context.summary
    # A build of one feed leaves what changed to the next build of all.
    pending = changed if only_source is None else {}
    _withdraw(store, pending)
    changes = _changes(store, pending)
    due = _due_feeds(context, specs)
    if source is not None:
        due = [spec for spec in due if spec.source == source]
    with _failures_told(context):
        # Before feeds, whose entries lead there.
        article_pages.publish(context)
        output = _write_feeds(context, due, changes)
        if only_source is None:
            output.forget(key for key in manifest if key not in {spec.key for spec in specs})
            title_lists.publish(context)
            if not publication.has_pages:
                article_pages.remove_all(context)
            index_page.publish(context)
            failed = set(output.failed)
            if any(spec.source is not None and spec.key in failed for spec in specs):
                # Feeds of several sources show of a source what its own feed is.
                failed |= {spec.key for spec in specs if spec.source is None}
            indexed = indexing.update(context, search_index, changed)
            # Every feed has decided what the changes mean to it, whether or not others failed.
            with store.transaction() as connection:
                selected.save_progress(connection, indexed)
                published.feeds_are_current(
                    connection, now, failed, has_archives=publication.feeds.archives
                )
    return context.summary


@contextlib.contextmanager
def _failures_told(context: Context) -> Iterator[None]:
    """Add what had failed before to an error of the store, which ends the build."""
    try:
        yield
    except DamagedStoreError:
        raise  # the build is repeated
    except StoreError as error:
        raise StoreError("\n".join([*context.summary.failures, str(error)])) from error


def _write_feeds(context: Context, due: list[FeedSpec], changes: Changes) -> Output:
    """Render and write those of the given feeds, and of their archives, that differ."""
    jobs = Jobs(context, changes)
    output = Output(context, lambda: context.report("feeds", done, len(due)))
    # Before documents that are on disk and unknown are adopted.
    output.remove_strays()
    work = partial(produce, context.destination, context.dry_run)
    # What feeds of several sources show of a source is known from its own feed.
    sources = [spec for spec in due if spec.source is not None]
    others = [spec for spec in due if spec.source is None]
    done = 0
    for group in (sources, others):
        rest = group
        while rest:
            for result in processes.ordered_map(work, jobs.of(rest)):
                if isinstance(result.state, FeedState) and result.fitting is None:
                    done += 1
                    context.report("feeds", done, len(due))
                output.write(result)
            output.save(jobs.recounted)
            jobs.recounted.clear()
            # With fewer entries each time, this ends.
            jobs.limits.fitting |= output.too_large
            rest = [spec for spec in rest if spec.key in output.too_large]
            output.too_large.clear()
    output.trim(jobs.kept)
    return output


def _monotonic(now: datetime.datetime, manifest: Mapping[str, FeedState]) -> datetime.datetime:
    """Return `now`, or the time of the last build if the clock went back a little since then.

    So what was published stays published; a clock that was years ahead is ignored.
    """
    last = max((state.checked_at for state in manifest.values()), default=now)
    return last if now < last < now + MAX_CLOCK_STEP else now


def _specs(context: Context) -> list[FeedSpec]:
    """Return every feed to publish: those of sources first, the combined one last.

    A feed that has lost its last article still has subscribers, and becomes empty.
    """
    publication = context.publication
    with context.store.transaction() as connection:
        sources = windows.sources(connection)
        if FORMER_NO_SOURCE in sources:
            shown = {source for source, *_ in statistics.articles_by_source(connection)}
            sources = [
                source for source in sources if source in shown or source != FORMER_NO_SOURCE
            ]
        keys = [f"source:{source}" for source in sources] + selected.shown_feeds(connection)
    keys += [publication.extra_spec(name).key for name in publication.feeds.extra]
    keys += sorted(context.manifest)
    if FORMER_NO_SOURCE not in sources:
        # It was no source of anybody's: what it had belongs to the site.
        keys = [key for key in keys if key != f"source:{FORMER_NO_SOURCE}"]
    specs = (publication.spec_of(key) for key in dict.fromkeys(keys))
    found = [spec for spec in specs if spec is not None and spec.kind != "all"]
    return [*found, publication.combined_spec()]


def _due_feeds(context: Context, specs: list[FeedSpec]) -> list[FeedSpec]:
    """Return the feeds that may look different from what is on disk."""
    publication, manifest, now = context.publication, context.manifest, context.now
    with context.store.transaction() as connection:
        sources = published.dirty_sources(connection)
        feeds = published.dirty_feeds(connection)
        checked = min((state.checked_at for state in manifest.values()), default=now)
        sources |= sources_due(connection, checked, now)
        feeds |= selected.feeds_due(connection, checked, now)
        if publication.feeds.archives and context.checks_archives:
            feeds |= archive_files.check_documents(context, connection)

    def is_due(spec: FeedSpec) -> bool:
        state = manifest.get(spec.key)
        return (
            context.full
            or state is None
            or state.rules != publication.rules(spec)
            or spec.source in sources
            or (spec.kind == "all" and NO_SOURCE in sources)
            or spec.key in feeds
            or not _is_published(context, spec, state)
        )

    *parts, combined = specs
    due = [spec for spec in parts if is_due(spec)]
    return [*due, combined] if due or is_due(combined) else []


def _is_published(context: Context, spec: FeedSpec, state: FeedState) -> bool:
    """Return whether a feed's files are unchanged on disk, also those in a content coding."""
    expected = context.destination.names(context.publication.feed_paths(spec).values())
    is_whole = {file.path for file in state.files} == set(expected)
    return is_whole and context.destination.is_as_left(state.files)


def _would_empty(context: Context) -> bool:
    """Return whether entries are published now, and none would be after this build.

    After a store was lost, the ledger has them, which was filled from the feeds on disk.
    """
    had_entries = any(state.entries for state in context.manifest.values())
    combined = context.publication.combined_spec()
    with context.store.transaction() as connection:
        had_entries = had_entries or has_remembered(connection)
        return had_entries and not window_of(connection, combined, context.now, 1)


def _withdraw(store: Store, changed: Iterable[str]) -> None:
    """Remove what was withdrawn from all archives, also of feeds that nothing else changes."""
    with store.transaction() as connection:
        articles = articles_of(connection, changed)
        withdrawn = [code for code, article in articles.items() if article.is_withdrawn]
        archive_places.withdraw(connection, withdrawn)


def _changes(store: Store, changed: Mapping[str, bool]) -> Changes:
    """Return what the last polls changed in articles that had arrived before."""
    with store.transaction() as connection:
        return Changes(
            republished=frozenset(code for code, again in changed.items() if again),
            last_arrival=last_arrival(connection),
        )
