"""Rendered documents → files in place, and then the manifest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aggregator.build import archive_files
from aggregator.build.context import Context
from aggregator.build.rendering import DocumentState, Job, SanitizedText, render
from aggregator.model.errors import PublishError
from aggregator.model.feeds import Archive, FeedSpec, FeedState, PublishedFile
from aggregator.publish.files import Prepared, prepare, put, remove, sync_folders
from aggregator.store import archive_places, hub_queue, published, renditions

SAVE_EVERY = 64


@dataclass(frozen=True)
class Result:
    """The outcome of a job: its files, those in a content coding last, or its failure."""

    state: FeedState | DocumentState
    files: tuple[Prepared, ...] = ()
    sanitized: tuple[SanitizedText, ...] = ()
    failure: str | None = None


def produce(directory: Path, codings: tuple[str, ...], dry_run: bool, job: Job) -> Result:
    """Render a job and prepare its files; runs in any process."""
    contents, sanitized = render(job)
    own: list[Prepared] = []
    coded: list[Prepared] = []
    try:
        for path, data in contents.items():
            first, *others = prepare(directory, path, data, codings, dry_run=dry_run)
            own.append(first)
            coded += others
    except PublishError as error:
        for file in (*own, *coded):
            file.discard()
        return Result(job.state, (), tuple(sanitized), str(error))
    return Result(job.state, (*own, *coded), tuple(sanitized))


@dataclass(slots=True)
class Output:
    """Writes results in their order.

    `unsaved` are results that are not in the store yet, and `failed` the keys of feeds that
    the next build builds again.
    """

    context: Context
    unsaved: list[Result] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)

    def write(self, result: Result) -> None:
        """Put a job's files into place.

        If that fails, the summary says so, and the next build builds the feed again.
        """
        failure = result.failure
        if failure is None:
            try:
                self._put(result.files)
                if isinstance(result.state, FeedState):
                    result = replace(result, state=self._complete(result.state, result.files))
                    self.context.summary.written += any(file.is_new for file in result.files)
            except PublishError as error:
                failure = str(error)
        if failure is not None:
            self._fail(result.state.key, failure)
            for file in result.files:
                file.discard()
            result = replace(result, files=(), failure=failure)
        self.unsaved.append(result)
        if len(self.unsaved) >= SAVE_EVERY:
            self.save()

    def save(self, unchanged: Iterable[FeedState] = ()) -> None:
        """Save sanitized texts and the manifest, after the files are synced to the disk.

        `unchanged` are states of feeds whose files stay as they are.
        """
        results, self.unsaved = self.unsaved, []
        publication = self.context.publication
        states = list(unchanged)
        documents: dict[DocumentState, list[PublishedFile]] = {}
        topics: list[str] = []
        folders: set[Path] = set()
        for state, files in ((item.state, item.files) for item in results if not item.failure):
            folders |= {file.temporary.parent for file in files if file.temporary is not None}
            if isinstance(state, FeedState):
                states.append(state)
                topics += [publication.feeds.url + file.left.path for file in files if file.is_new]
            else:
                documents[state] = [file.left for file in files]
        self.context.manifest.update((state.key, state) for state in states)
        try:
            sync_folders(folders)
        except PublishError as error:
            # What is not saved is built again.
            self.failed |= {state.key for state in states} | {state.key for state in documents}
            self.context.summary.failures.append(str(error))
            states, documents = [], {}
        self.context.summary.notices += _slow_rules(results)
        with self.context.store.transaction() as connection:
            sanitized = [text for result in results for text in result.sanitized]
            renditions.save_renditions(
                connection, publication.sanitizing, [text[:4] for text in sanitized]
            )
            archive_places.save_written(connection, documents)
            published.save_documents(
                connection, {(key, number): files for (key, number, _), files in documents.items()}
            )
            published.save_feeds(connection, states)
            hub_queue.enqueue(connection, publication.feeds.hubs, topics, self.context.now)

    def forget(self, keys: Iterable[str]) -> None:
        """Remove the files of feeds that are no longer configured."""
        gone = list(keys)
        if not gone or self.context.dry_run:
            return
        with self.context.store.transaction() as connection:
            removed = []
            for key in gone:
                try:
                    for path in published.paths_of(connection, [key]):
                        remove(self.context.directory, path)
                except PublishError as error:
                    self._fail(key, str(error))
                    continue
                removed.append(key)
                del self.context.manifest[key]
            published.forget_feeds(connection, removed)

    def trim(self, kept: Iterable[tuple[FeedSpec, Archive]]) -> None:
        """Remove withdrawn articles from documents that have the only copy of others."""
        directory, publication = self.context.directory, self.context.publication
        for spec, archive in kept:
            path = publication.archive_path(spec, archive.number)
            state = DocumentState(spec.key, archive.number, b"")
            try:
                data = archive_files.trimmed(directory / path, publication.site.tag, archive)
                files = prepare(
                    directory, path, data, publication.feeds.compress, dry_run=self.context.dry_run
                )
            except PublishError as error:
                self._fail(spec.key, str(error))
                continue
            self.write(Result(state, tuple(files)))
        if self.unsaved:
            self.save()

    def remove_strays(self) -> None:
        """Remove the files of archive documents that are no longer in the store."""
        if self.context.dry_run:
            return
        with self.context.store.transaction() as connection:
            for path in published.stray_paths(connection):
                try:
                    remove(self.context.directory, path)
                except PublishError as error:
                    self.context.summary.failures.append(str(error))
                    continue
                published.forget_paths(connection, [path])

    def _fail(self, key: str, failure: str) -> None:
        self.failed.add(key)
        self.context.summary.failures.append(failure)

    def _put(self, files: Sequence[Prepared]) -> None:
        """Put files into place: those in a content coding before their originals."""
        if not self.context.dry_run:
            for file in reversed(files):
                put(self.context.directory, file, self.context.publication.feeds.compress)
        self.context.summary.paths += [file.left.path for file in files if file.is_new]

    def _complete(self, state: FeedState, files: Sequence[Prepared]) -> FeedState:
        """Return a feed's state with its files; remove its files of other formats."""
        left = tuple(file.left for file in files)
        paths = {file.path for file in left}
        old = self.context.manifest.get(state.key)
        for file in old.files if old is not None and not self.context.dry_run else ():
            if file.path not in paths:
                remove(self.context.directory, file.path)
        return replace(state, files=left)


def _slow_rules(results: Iterable[Result]) -> list[str]:
    """Return a notice for each text that a content rule was too slow for."""
    texts = {text.code: text.given_up for result in results for text in result.sanitized}
    return [
        f"{code}: rule {number} takes too long for this text, which is shown without it"
        for code, numbers in sorted(texts.items())
        for number in numbers
    ]
