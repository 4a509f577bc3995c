"""Rendered documents → files in place, and then the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from aggregator.build import archive_files
from aggregator.build.context import Context
from aggregator.build.rendering import DocumentState, Job, SanitizedText, render
from aggregator.build.sizes import entries_that_fit
from aggregator.model.errors import PublishError
from aggregator.model.feeds import Archive, FeedSpec, FeedState, PublishedFile
from aggregator.publish.destination import Destination, Prepared
from aggregator.store import archive_places, hub_queue, published, renditions

# So many results, or bytes of files, are put into place and saved together.
SAVE_EVERY, SAVE_BYTES = 64, 64_000_000


@dataclass(frozen=True)
class Result:
    """The outcome of a job: its files, those in a content coding last, or its failure.

    A document that is too large has no files; so many of its entries are `fitting`.
    """

    state: FeedState | DocumentState
    files: tuple[Prepared, ...] = ()
    sanitized: tuple[SanitizedText, ...] = ()
    failure: str | None = None
    fitting: int | None = None


def produce(destination: Destination, dry_run: bool, job: Job) -> Result:
    """Render a job and prepare its files; runs in any process."""
    own: list[Prepared] = []
    coded: list[Prepared] = []
    sanitized: list[SanitizedText] = []
    try:
        contents, sanitized = render(job)
        if job.max_bytes:
            documents = {name: contents[path] for name, path in job.paths.items()}
            count = len(job.bodies)
            fitting = entries_that_fit(documents, count, job.max_bytes)
            if fitting < count:
                return Result(job.state, (), tuple(sanitized), fitting=fitting)
        for path, data in contents.items():
            first, *others = destination.prepare(path, data, dry_run=dry_run)
            own.append(first)
            coded += others
    except PublishError as error:
        for file in (*own, *coded):
            file.discard()
        return Result(job.state, (), tuple(sanitized), str(error))
    return Result(job.state, (*own, *coded), tuple(sanitized))


@dataclass(slots=True)
class Output:
    """Writes results, some at a time, in the order in which they come.

    `unsaved` are results that are neither in place nor in the store yet, and `failed` the keys
    of feeds that the next build builds again.  `too_large` are feeds that this one plans again,
    by key, with how many entries fit.  `tick` is called when a result is in place.
    """

    context: Context
    tick: Callable[[], None] = lambda: None
    unsaved: list[Result] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    too_large: dict[str, int] = field(default_factory=dict)

    def write(self, result: Result) -> None:
        """Put a job's files into place, now or with the next ones.

        If that fails, the summary says so, and the next build builds the feed again.
        """
        if result.fitting is not None:
            self.too_large[result.state.key] = result.fitting
            with self.context.store.transaction() as connection:
                self._save_texts(connection, [result])
            return
        self.unsaved.append(result)
        size = sum(file.left.size for item in self.unsaved for file in item.files)
        if len(self.unsaved) >= SAVE_EVERY or size >= SAVE_BYTES:
            self.save()

    def save(self, unchanged: Iterable[FeedState] = ()) -> None:
        """Put files into place, and then save sanitized texts and the manifest.

        `unchanged` are states of feeds whose files stay as they are.
        """
        results, self.unsaved = self._put(self.unsaved), []
        publication = self.context.publication
        states = list(unchanged)
        documents: dict[DocumentState, list[PublishedFile]] = {}
        topics: list[str] = []
        written: list[Prepared] = []
        for state, files in ((item.state, item.files) for item in results if not item.failure):
            written += files
            if isinstance(state, FeedState):
                states.append(state)
                topics += [
                    publication.feeds.url + file.left.path
                    for file in files
                    if file.is_new and not file.left.path.endswith(".html")
                ]
            else:
                documents[state] = [file.left for file in files]
        self.context.manifest.update((state.key, state) for state in states)
        try:
            self.context.destination.sync(written)
        except PublishError as error:
            # What is not saved is built again.
            self.failed |= {state.key for state in states} | {state.key for state in documents}
            self.context.summary.failures.append(str(error))
            states, documents = [], {}
        self.context.summary.notices += _slow_rules(results)
        with self.context.store.transaction() as connection:
            self._save_texts(connection, results)
            archive_places.save_written(connection, documents)
            published.save_files_of(
                connection, {(key, number): files for (key, number, _), files in documents.items()}
            )
            published.save_feeds(connection, states)
            hub_queue.enqueue(connection, publication.feeds.hubs, topics, self.context.now)

    def _save_texts(self, connection: Connection, results: Iterable[Result]) -> None:
        """Save the sanitized texts of results."""
        sanitized = [text[:4] for result in results for text in result.sanitized]
        rules = self.context.publication.sanitizing
        renditions.save_renditions(connection, rules, sanitized)

    def _put(self, results: Iterable[Result]) -> list[Result]:
        """Put files into place, archive documents first; return what became of each result."""
        context = self.context
        ordered = sorted(results, key=lambda result: isinstance(result.state, FeedState))
        ready = [result.files for result in ordered if result.failure is None]
        outcomes = context.destination.put(ready, dry_run=context.dry_run)
        done = []
        for result in ordered:
            failure = result.failure
            if failure is None:
                outcome = next(outcomes)
                self.tick()
                try:
                    if isinstance(outcome, PublishError):
                        raise outcome
                    result = self._complete(replace(result, files=outcome))
                except PublishError as error:
                    failure = str(error)
            if failure is not None:
                self._fail(result.state.key, failure)
                result = replace(result, files=(), failure=failure)
            done.append(result)
        return done

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
                        self.context.destination.remove(path)
                except PublishError as error:
                    self._fail(key, str(error))
                    continue
                removed.append(key)
                del self.context.manifest[key]
            published.forget_feeds(connection, removed)

    def trim(self, kept: Iterable[tuple[FeedSpec, Archive]]) -> None:
        """Remove withdrawn articles from documents that have the only copy of others."""
        destination, publication = self.context.destination, self.context.publication
        for spec, archive in kept:
            path = publication.archive_path(spec, archive.number)
            state = DocumentState(spec.key, archive.number, b"")
            try:
                data = archive_files.trimmed(destination, path, publication.site.tag, archive)
                files = destination.prepare(path, data, dry_run=self.context.dry_run)
            except PublishError as error:
                self._fail(spec.key, str(error))
                continue
            self.write(Result(state, tuple(files)))
        if self.unsaved:
            self.save()

    def remove_strays(self) -> None:
        """Remove the files of archive documents that are no longer in the store."""
        if self.context.dry_run or not self.context.checks_archives:
            return
        with self.context.store.transaction() as connection:
            for path in published.stray_paths(connection):
                try:
                    self.context.destination.remove(path)
                except PublishError as error:
                    self.context.summary.failures.append(str(error))
                    continue
                published.forget_paths(connection, [path])

    def _fail(self, key: str, failure: str) -> None:
        self.failed.add(key)
        # What fails for all feeds is said once.
        if failure not in self.context.summary.failures:
            self.context.summary.failures.append(failure)

    def _complete(self, result: Result) -> Result:
        """Return a result whose files are in place; remove a feed's files of other formats."""
        summary = self.context.summary
        summary.paths += [file.left.path for file in result.files if file.is_new]
        state = result.state
        if not isinstance(state, FeedState):
            summary.documents += any(file.is_new for file in result.files)
            return result
        left = tuple(file.left for file in result.files)
        paths = {file.path for file in left}
        old = self.context.manifest.get(state.key)
        for file in old.files if old is not None and not self.context.dry_run else ():
            if file.path not in paths:
                self.context.destination.remove(file.path)
        summary.written += any(file.is_new for file in result.files)
        return replace(result, state=replace(state, files=left))


def _slow_rules(results: Iterable[Result]) -> list[str]:
    """Return a notice for each text that a content rule was too slow for."""
    texts = {text.code: text.given_up for result in results for text in result.sanitized}
    return [
        f"{code}: rule {number} takes too long for this text, which is shown without it"
        for code, numbers in sorted(texts.items())
        for number in numbers
    ]
