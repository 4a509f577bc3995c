"""One build: from the store to feeds on disk (design §3, steps 5 to 7)."""

from __future__ import annotations

import datetime
import difflib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator import workers
from aggregator.errors import PublishError, UnknownSourceError
from aggregator.feeds import Publication, make_document, make_entry
from aggregator.identity import source_slug
from aggregator.model import Article, BuildSummary, FeedOrigin, FeedSpec, FeedState, SourceName
from aggregator.packing import pack
from aggregator.publish.files import holds, remove_leftovers, replace_file, sync_folders
from aggregator.rendering import Body, Job, Rendered, render
from aggregator.store import Store, published, reads, writes

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
    and the next build tries again.
    """
    summary = BuildSummary()
    with store.transaction() as connection:
        if full:
            writes.clear_renditions(connection)
        manifest = published.feed_states(connection)
        sources_known = reads.sources(connection)
    # A source that has lost its last article still has readers: its feed becomes empty.
    sources_known += sorted(publication.sources_of(manifest).difference(sources_known))
    now = _monotonic(now, manifest)
    summary.feeds = len(sources_known) + 1
    due = _due_feeds(store, publication, sources_known, manifest, directory, now, full=full)
    if only_source is not None:
        source = _named(only_source, sources_known)
        due = [spec for spec in due if spec.source == source]
    if not dry_run:
        remove_leftovers((directory, directory / "sources"))
    if not allow_empty and _would_empty(store, manifest, now):
        summary.failures.append(
            f"{directory}: no article is left to publish where there were some; the feeds were "
            "kept. If that is meant, use --allow-empty"
        )
        return summary
    sources = [spec for spec in due if spec.source is not None]
    combined = [spec for spec in due if spec.source is None]
    done = 0
    for group in (sources, combined):
        jobs = _jobs(store, publication, group, manifest, directory, now, full=full)
        saved: list[Rendered] = []
        states: list[FeedState] = []
        for rendered in workers.ordered_map(render, jobs):
            done += 1
            progress(done, len(due))
            saved.append(rendered)
            state = _publish(rendered, directory, summary, dry_run=dry_run)
            if state is not None:
                states.append(state)
                manifest[state.key] = state
            if len(saved) == SAVE_EVERY:
                _save(store, publication, saved, states, directory)
        _save(store, publication, saved, states, directory)
    if only_source is None and not summary.failures:
        with store.transaction() as connection:
            published.clear_touched(connection)
            published.feeds_are_current(connection, now)
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


def _due_feeds(
    store: Store,
    publication: Publication,
    sources: list[str],
    manifest: Mapping[str, FeedState],
    directory: Path,
    now: datetime.datetime,
    *,
    full: bool,
) -> list[FeedSpec]:
    """The feeds that may look different from what is on disk, the combined one last."""
    with store.transaction() as connection:
        touched = published.touched_sources(connection)
        checked = min((state.checked_at for state in manifest.values()), default=now)
        touched |= reads.sources_due(connection, checked, now)
    specs = [publication.source_spec(source) for source in sources]
    rules = publication.rules

    def is_due(spec: FeedSpec) -> bool:
        state = manifest.get(spec.key)
        return (
            full
            or state is None
            or state.rules != rules(spec)
            or spec.source in touched
            or not _is_on_disk(state, directory)
        )

    due = [spec for spec in specs if is_due(spec)]
    if due or is_due(publication.combined_spec()):
        due.append(publication.combined_spec())
    return due


def _is_on_disk(state: FeedState, directory: Path) -> bool:
    try:
        found = (directory / state.path).stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (state.size, state.mtime_ns)


def _would_empty(store: Store, manifest: Mapping[str, FeedState], now: datetime.datetime) -> bool:
    """Whether nothing is left to show though there were entries before.

    Of a lost store only the ledger tells of those, filled from the feeds on disk.
    """
    had_entries = any(state.entries for state in manifest.values())
    with store.transaction() as connection:
        had_entries = had_entries or reads.has_remembered(connection)
        return had_entries and not reads.window(connection, None, now, 1)


def _jobs(
    store: Store,
    publication: Publication,
    specs: Iterable[FeedSpec],
    manifest: Mapping[str, FeedState],
    directory: Path,
    now: datetime.datetime,
    *,
    full: bool,
) -> Iterator[Job]:
    """What there is to render; a feed that shows what it showed last is left out."""
    for spec in specs:
        with store.transaction() as connection:
            articles = reads.window(connection, spec.source, now, spec.limit)
            names = _names(publication, articles, manifest, spec)
            origins = (
                _origins(publication, articles, names, manifest) if spec.source is None else {}
            )
            rules = publication.rules(spec)
            fingerprint = _fingerprint(rules, articles, names, origins)
            old = manifest.get(spec.key)
            if (
                old is not None
                and not full
                and old.rules == rules
                and old.fingerprint == fingerprint
                and _is_on_disk(old, directory)
            ):
                continue
            bodies = _bodies(connection, publication, articles)
        # Loaded only if there is something to render, and before workers share it.
        import_module("aggregator.publish.atom")
        entries = tuple(
            make_entry(publication, article, names[article.source]) for article in articles
        )
        source = names[spec.source] if spec.source is not None else None
        document = make_document(publication, spec, source, entries, origins)
        state = FeedState(
            key=spec.key,
            path=spec.path,
            title=source.name if source else publication.title,
            rules=rules,
            fingerprint=fingerprint,
            entries=len(entries),
            updated=document.updated,
            size=0,
            mtime_ns=0,
            checked_at=now,
        )
        revisions = tuple((article.code, article.revision) for article in articles)
        yield Job(spec, document, bodies, revisions, state)


def _names(
    publication: Publication,
    articles: Iterable[Article],
    manifest: Mapping[str, FeedState],
    spec: FeedSpec,
) -> dict[str, SourceName]:
    """How the sources of a window are named: by config, else by their newest article."""
    names: dict[str, SourceName] = {}
    if spec.source is not None:
        names[spec.source] = publication.source_name(spec.source, None)
    for article in articles:
        key = article.source
        if spec.source is None:
            state = manifest.get(publication.source_spec(key).key)
            learnt = state.title if state is not None else article.source_name
        else:
            learnt = article.source_name
        if key not in names or (learnt and names[key].name == key):
            names[key] = publication.source_name(key, learnt)
    return names


def _origins(
    publication: Publication,
    articles: Iterable[Article],
    names: Mapping[str, SourceName],
    manifest: Mapping[str, FeedState],
) -> dict[str, FeedOrigin]:
    """The feed of each source that a combined window shows."""
    origins = {}
    for key in {article.source for article in articles}:
        spec = publication.source_spec(key)
        state = manifest.get(spec.key)
        if state is not None:
            origins[key] = FeedOrigin(
                publication.feed_id(spec),
                publication.feed_title(names[key]),
                publication.feed_url(spec),
                state.updated.astimezone(ZoneInfo(publication.timezone)),
            )
    return origins


def _fingerprint(
    rules: bytes,
    articles: Iterable[Article],
    names: Mapping[str, SourceName],
    origins: Mapping[str, FeedOrigin],
) -> bytes:
    """A digest of all that a feed shows, made without reading a text."""
    shown = (
        [(article.code, article.revision, article.version) for article in articles],
        sorted((key, name.name) for key, name in names.items()),
        sorted((key, origin.updated.isoformat()) for key, origin in origins.items()),
    )
    return hashlib.blake2b(rules + repr(shown).encode(), digest_size=16).digest()


def _bodies(
    connection: Connection, publication: Publication, articles: list[Article]
) -> tuple[Body, ...]:
    """For each article its clean HTML, or its text where that is not clean yet."""
    clean = reads.renditions(connection, articles, publication.cleaning)
    texts = reads.bodies(
        connection,
        {article.body_id for article in articles if article.code not in clean and article.body_id},
    )
    return tuple(
        Body(clean[article.code])
        if article.code in clean
        else Body(
            texts.get(article.body_id or 0, pack("")), article.media_type, publication.base(article)
        )
        for article in articles
    )


def _publish(
    rendered: Rendered, directory: Path, summary: BuildSummary, *, dry_run: bool
) -> FeedState | None:
    """Write a feed if its bytes differ; return its state on disk, None if that failed."""
    path = directory / rendered.spec.path
    try:
        if dry_run:
            if not holds(path, rendered.data):
                summary.written.append(rendered.spec.path)
            return rendered.state
        if replace_file(path, rendered.data):
            summary.written.append(rendered.spec.path)
        found = path.stat()
    except PublishError as error:
        summary.failures.append(str(error))
        return None
    except OSError as error:
        summary.failures.append(f"{path}: cannot be read: {error.strerror}")
        return None
    return replace(rendered.state, size=found.st_size, mtime_ns=found.st_mtime_ns)


def _save(
    store: Store,
    publication: Publication,
    saved: list[Rendered],
    states: list[FeedState],
    directory: Path,
) -> None:
    """Save clean texts and the manifest, once the feeds are safe on disk."""
    if not saved:
        return
    sync_folders({(directory / state.path).parent for state in states})
    with store.transaction() as connection:
        for rendered in saved:
            writes.save_renditions(connection, publication.cleaning, rendered.cleaned)
        published.save_feeds(connection, states)
    saved.clear()
    states.clear()
