"""Rendered documents on their way to the disk and, once they are safe there, the manifest."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from aggregator.errors import PublishError
from aggregator.feeds import ARCHIVES, Publication
from aggregator.model import FORMATS, BuildSummary, FeedState, PublishedFile
from aggregator.publish.files import Prepared, prepare, put, remove, sync_folders
from aggregator.rendering import Job, render
from aggregator.store import Store, archives, pings, published, renditions

SAVE_EVERY = 64


@dataclass(frozen=True)
class Producer:
    """Renders jobs and puts their bytes on the disk, in any process, not yet into place.

    `codings` are those in which files lie there once more (RFC 9110 §8.4.1).
    """

    directory: Path
    codings: tuple[str, ...]
    dry_run: bool

    def __call__(self, job: Job) -> Product:
        """What came of a job."""
        rendered = render(job)
        files: list[Prepared] = []
        try:
            for path, data in rendered.files:
                files += prepare(self.directory, path, data, self.codings, dry_run=self.dry_run)
        except PublishError as error:
            return Product(rendered.job, tuple(files), rendered.cleaned, str(error))
        except OSError as error:
            failure = f"{self.directory}: cannot be read: {error.strerror}"
            return Product(rendered.job, tuple(files), rendered.cleaned, failure)
        return Product(rendered.job, tuple(files), rendered.cleaned)


@dataclass(frozen=True)
class Product:
    """A job's files, the texts that were cleaned for it, and why it failed if it did."""

    job: Job
    files: tuple[Prepared, ...]
    cleaned: tuple[tuple[str, int, bytes], ...]
    failure: str | None = None


@dataclass(slots=True)
class Output:
    """Takes products in their order; `manifest` is what is published, as that goes on."""

    store: Store
    publication: Publication
    directory: Path
    manifest: dict[str, FeedState]
    summary: BuildSummary
    now: datetime.datetime
    dry_run: bool
    open_archives: dict[str, PublishedFile] = field(default_factory=dict)
    cleaned: list[tuple[str, int, bytes]] = field(default_factory=list)
    states: list[FeedState] = field(default_factory=list)
    written: list[tuple[str, int, bytes]] = field(default_factory=list)
    touched: set[Path] = field(default_factory=set)
    topics: list[str] = field(default_factory=list)
    taken: int = 0

    def take(self, product: Product) -> None:
        """Put a job's files into place."""
        job = product.job
        self.cleaned += product.cleaned
        failure, files = product.failure, []
        if failure is None:
            try:
                files = [self._place(file) for file in product.files]
            except PublishError as error:
                failure = str(error)
            except OSError as error:
                failure = f"{self.directory}: cannot be read: {error.strerror}"
        if failure is not None:
            self.summary.failures.append(failure)
            for file in product.files:
                file.discard()
        else:
            ours = [file for file in files if file.path in job.paths.values()]
            if job.archive is not None:
                self.written.append((job.key, job.archive, job.fingerprint))
                if job.document.archive.next is None:
                    self.open_archives[job.key] = ours[0]
            elif job.state is not None:
                self._keep(job.state, ours)
                new = [file.path for file in product.files if file.is_new]
                self.summary.written += bool(new)
                self.topics += [self.publication.feeds_url + path for path in new]
        self.taken += 1
        if self.taken >= SAVE_EVERY:
            self.save()

    def save(self, restated: Iterable[FeedState] = ()) -> None:
        """Save clean texts and the manifest, once the files are safe on disk."""
        for state in restated:
            self.states.append(state)
            self.manifest[state.key] = state
        sync_folders(self.touched)
        with self.store.transaction() as connection:
            renditions.save_renditions(connection, self.publication.cleaning, self.cleaned)
            archives.save_written(connection, self.written)
            published.save_feeds(connection, self.states)
            pings.want(connection, self.publication.hubs, self.topics, self.now)
        self.topics.clear()
        self.cleaned, self.states, self.written = [], [], []
        self.touched.clear()
        self.taken = 0

    def forget(self, keys: Iterable[str]) -> None:
        """Remove the files of feeds that are not configured any more."""
        gone = list(keys)
        if not gone or self.dry_run:
            return
        with self.store.transaction() as connection:
            for key in gone:
                stems = {file.path.rpartition(".")[0] for file in self.manifest[key].files}
                for file in self.manifest.pop(key).files:
                    self._remove(file.path)
                for number in archives.numbers(connection, key):
                    for stem in stems:
                        self._remove(f"{ARCHIVES}{stem}.{number}{FORMATS['atom'].ending}")
            published.forget_feeds(connection, gone)

    def _place(self, file: Prepared) -> PublishedFile:
        if file.is_new:
            self.summary.paths.append(file.path)
        if self.dry_run:
            return PublishedFile(file.path, 0, 0)
        if file.temporary is not None:
            self.touched.add((self.directory / file.path).parent)
        return put(self.directory, file, self.publication.codings)

    def _keep(self, state: FeedState, files: list[PublishedFile]) -> None:
        """Note a feed that is on disk, with the archive document that still grows."""
        old = self.manifest.get(state.key)
        before = old.files if old is not None else ()
        archive = self.open_archives.get(state.key)
        if archive is None and self.publication.has_archives:
            archive = next((file for file in before if file.path.startswith(ARCHIVES)), None)
        if archive is not None:
            files = [*files, archive]
        paths = {file.path for file in files}
        for file in before:
            if file.path not in paths and not file.path.startswith(ARCHIVES):
                self._remove(file.path)
        state = replace(state, files=tuple(files))
        self.states.append(state)
        self.manifest[state.key] = state

    def _remove(self, path: str) -> None:
        if not self.dry_run:
            remove(self.directory, path)
