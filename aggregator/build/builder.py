"""One build: from the store to feeds on disk."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Callable, Mapping
from pathlib import Path

from aggregator import processes
from aggregator.articles.identity import source_slug
from aggregator.build import archives, index_page, selections
from aggregator.build.archives import Changes
from aggregator.build.output import Output, Producer
from aggregator.build.plan import Jobs
from aggregator.model.errors import UnknownSourceError
from aggregator.model.feeds import FeedSpec, FeedState
from aggregator.model.summaries import BuildSummary
from aggregator.publish.compression import with_packed
from aggregator.publish.files import is_as_left, remove_leftovers
from aggregator.publish.publication import ARCHIVES, FOLDERS, Publication
from aggregator.store import published, renditions, selected, windows
from aggregator.store.articles import articles_of, has_remembered
from aggregator.store.database import Store
from aggregator.store.windows import last_arrival, sources_due, window_of

Progress = Callable[[int, int], None]
SAVE_EVERY = 64
MAX_CLOCK_STEP = datetime.timedelta(days=2)


def build(
    store: Store,
    publication: Publication,
    directory: Path,
    now: datetime.datetime,
    *,
    only_source: str | None = None,
    full: bool = False,
    allow_empty: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda done, total: None,
) -> BuildSummary:
    """Publish every feed that would look different, and no other.

    `only_source` builds the feed of one source alone; `full` looks at every feed and
    cleans every text anew.  A feed that cannot be written is a failure in the summary,
    and the next build tries it again; the others are done.
    """
    summary = BuildSummary()
    with store.transaction() as connection:
        if full:
            renditions.clear_renditions(connection)
        manifest = published.feed_states(connection)
        again = published.changed_codes(connection)
    selections.update(store, publication, again)
    now = _monotonic(now, manifest)
    specs = _specs(store, publication, manifest)
    summary.feeds = len(specs)
    due = _due_feeds(store, publication, specs, manifest, directory, now, full=full)
    if only_source is not None:
        source = _named(only_source, [spec.subject for spec in specs if spec.source is not None])
        due = [spec for spec in due if spec.source == source]
    if not dry_run:
        places = ("", *FOLDERS.values())
        remove_leftovers(directory / root / place for root in ("", ARCHIVES) for place in places)
    if not allow_empty and _would_empty(store, publication, manifest, now):
        summary.failures.append(
            f"{directory}: no article is left to publish where there were some; the feeds were "
            "kept. If that is meant, use --allow-empty"
        )
        return summary
    # One feed alone leaves what changed to the next build of all.
    changes = _changes(store, again if only_source is None else {})
    jobs = Jobs(store, publication, manifest, directory, now, changes, full)
    produce = Producer(directory, publication.codings, dry_run)
    output = Output(store, publication, directory, manifest, summary, now, dry_run)
    # Before documents that are on disk and unknown are taken over.
    output.remove_strays()
    # What feeds of several sources say of a source is learnt from its own feed.
    sources = [spec for spec in due if spec.source is not None]
    others = [spec for spec in due if spec.source is None]
    done = 0
    for group in (sources, others):
        for product in processes.ordered_map(produce, jobs.of(group)):
            if product.job.state is not None:
                done += 1
                progress(done, len(due))
            output.take(product)
        output.save(jobs.restated)
        jobs.restated.clear()
    summary.failures += jobs.failures
    output.trim(jobs.kept)
    if only_source is None:
        output.forget(key for key in manifest if key not in {spec.key for spec in specs})
        index_page.publish(
            store, publication, manifest, directory, summary, full=full, dry_run=dry_run
        )
        # Every feed has decided what the changes mean to it, whatever became of the others.
        with store.transaction() as connection:
            published.feeds_are_current(
                connection, now, output.failed, has_archives=publication.has_archives
            )
    return summary


def _monotonic(now: datetime.datetime, manifest: Mapping[str, FeedState]) -> datetime.datetime:
    """`now`, or the time of the last build if the clock went back a little since then.

    What was due once stays due; a clock that was years ahead is not believed for ever.
    """
    last = max((state.checked_at for state in manifest.values()), default=now)
    return last if now < last < now + MAX_CLOCK_STEP else now


def _named(name: str, sources: list[str]) -> str:
    """The source that a user means by its slug or its own name."""
    for source in sources:
        if name in (source, source_slug(source)):
            return source
    near = difflib.get_close_matches(name, map(source_slug, sources), n=3)
    hint = f", did you mean {' or '.join(near)}?" if near else "; `aggregator sources` lists them"
    raise UnknownSourceError(f"no source {name}{hint}")


def _specs(
    store: Store, publication: Publication, manifest: Mapping[str, FeedState]
) -> list[FeedSpec]:
    """Every feed there is to be: those of sources first, the combined one last.

    One that has lost its last article still has readers: it becomes empty.
    """
    with store.transaction() as connection:
        keys = [f"source:{source}" for source in windows.sources(connection)]
        keys += selected.shown_feeds(connection)
    keys += [publication.extra_spec(extra.name).key for extra in publication.extras]
    keys += sorted(manifest)
    specs = (publication.spec_of(key) for key in dict.fromkeys(keys))
    found = [spec for spec in specs if spec is not None and spec.kind != "all"]
    return [*found, publication.combined_spec()]


def _due_feeds(
    store: Store,
    publication: Publication,
    specs: list[FeedSpec],
    manifest: Mapping[str, FeedState],
    directory: Path,
    now: datetime.datetime,
    *,
    full: bool,
) -> list[FeedSpec]:
    """The feeds that may look different from what is on disk."""
    with store.transaction() as connection:
        touched = published.touched_sources(connection)
        touched_feeds = published.touched_feeds(connection)
        checked = min((state.checked_at for state in manifest.values()), default=now)
        touched |= sources_due(connection, checked, now)
        touched_feeds |= selected.feeds_due(connection, checked, now)
        if publication.has_archives:
            touched_feeds |= archives.check_documents(connection, publication, directory, full=full)

    def is_due(spec: FeedSpec) -> bool:
        state = manifest.get(spec.key)
        return (
            full
            or state is None
            or state.rules != publication.rules(spec)
            or spec.source in touched
            or spec.key in touched_feeds
            or not _is_published(publication, spec, state, directory)
        )

    *parts, combined = specs
    due = [spec for spec in parts if is_due(spec)]
    return [*due, combined] if due or is_due(combined) else []


def _is_published(
    publication: Publication, spec: FeedSpec, state: FeedState, directory: Path
) -> bool:
    """Whether a feed's files are on disk as they were left, packed ones too."""
    expected = with_packed(publication.feed_paths(spec).values(), publication.codings)
    is_whole = {file.path for file in state.files} == set(expected)
    return is_whole and is_as_left(state.files, directory)


def _would_empty(
    store: Store,
    publication: Publication,
    manifest: Mapping[str, FeedState],
    now: datetime.datetime,
) -> bool:
    """Whether nothing is left to show though there were entries before.

    Of a lost store only the ledger tells of those, filled from the feeds on disk.
    """
    had_entries = any(state.entries for state in manifest.values())
    with store.transaction() as connection:
        had_entries = had_entries or has_remembered(connection)
        return had_entries and not window_of(connection, publication.combined_spec(), now, 1)


def _changes(store: Store, changed: Mapping[str, bool]) -> Changes:
    """What the last polls did to articles that had been there before."""
    with store.transaction() as connection:
        articles = articles_of(connection, changed)
        return Changes(
            again=frozenset(code for code, again in changed.items() if again),
            removed=frozenset(code for code, article in articles.items() if article.removed),
            last_arrival=last_arrival(connection),
        )
