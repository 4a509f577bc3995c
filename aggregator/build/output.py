"""Rendered documents on their way to the disk and, once they are safe there, the manifest."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from aggregator.build import archives
from aggregator.build.rendering import Job, render
from aggregator.model.errors import PublishError
from aggregator.model.feeds import Archive, FeedSpec, FeedState, PublishedFile
from aggregator.model.summaries import BuildSummary
from aggregator.publish.files import Prepared, prepare, put, remove, sync_folders
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, hub_queue, published, renditions
from aggregator.store.database import Store

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


class _Document(NamedTuple):
    """An archive document that is in place: its feed, number, what it shows, its files."""

    key: str
    number: int
    fingerprint: bytes
    files: list[PublishedFile]


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
    cleaned: list[tuple[str, int, bytes]] = field(default_factory=list)
    states: list[FeedState] = field(default_factory=list)
    documents: list[_Document] = field(default_factory=list)
    touched: set[Path] = field(default_factory=set)
    topics: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    taken: int = 0

    def take(self, product: Product) -> None:
        """Put a job's files into place.

        One that fails is a failure in the summary, and its feed is built again next time.
        """
        job = product.job
        self.cleaned += product.cleaned
        failure = product.failure
        if failure is None:
            try:
                files = [self._place(file) for file in product.files]
                if job.archive is not None:
                    self.documents.append(_Document(job.key, job.archive, job.fingerprint, files))
                elif job.state is not None:
                    self._keep(job, job.state, files)
                    new = [file.path for file in product.files if file.is_new]
                    self.summary.written += bool(new)
                    self.topics += [self.publication.feeds_url + path for path in new]
            except PublishError as error:
                failure = str(error)
            except OSError as error:
                failure = f"{self.directory}: cannot be read: {error.strerror}"
        if failure is not None:
            self._fail(job.key, failure)
            for file in product.files:
                file.discard()
        self.taken += 1
        if self.taken >= SAVE_EVERY:
            self.save()

    def save(self, restated: Iterable[FeedState] = ()) -> None:
        """Save clean texts and the manifest, once the files are safe on disk."""
        for state in restated:
            self.states.append(state)
            self.manifest[state.key] = state
        try:
            sync_folders(self.touched)
        except PublishError as error:
            # What is not noted is looked at again.
            self.failed.update(document.key for document in self.documents)
            self.failed.update(state.key for state in self.states)
            self.summary.failures.append(str(error))
            self.documents, self.states = [], []
        with self.store.transaction() as connection:
            renditions.save_renditions(connection, self.publication.cleaning, self.cleaned)
            archive_places.save_written(connection, [document[:3] for document in self.documents])
            published.save_documents(
                connection, {(key, number): files for key, number, _, files in self.documents}
            )
            published.save_feeds(connection, self.states)
            hub_queue.want(connection, self.publication.hubs, self.topics, self.now)
        self.topics.clear()
        self.cleaned, self.states, self.documents = [], [], []
        self.touched.clear()
        self.taken = 0

    def forget(self, keys: Iterable[str]) -> None:
        """Remove the files of feeds that are not configured any more."""
        gone = list(keys)
        if not gone or self.dry_run:
            return
        with self.store.transaction() as connection:
            removed = []
            for key in gone:
                try:
                    for path in published.paths_of(connection, [key]):
                        remove(self.directory, path)
                except PublishError as error:
                    self._fail(key, str(error))
                    continue
                removed.append(key)
                del self.manifest[key]
            published.forget_feeds(connection, removed)

    def trim(self, kept: Iterable[tuple[FeedSpec, Archive]]) -> None:
        """Take what was withdrawn out of documents that cannot be written again as a whole."""
        for spec, archive in kept:
            path = self.publication.archive_path(spec, archive.number)
            try:
                with (self.directory / path).open("rb") as file:
                    data = file.read(archives.MAX_BYTES)
                codes = {code for code, _ in archive.places}
                found = archives.trimmed(data, self.publication.tag, codes)
                if found is None or found[1]:
                    self._fail(
                        spec.key,
                        f"{self.directory / path}: is damaged, and some of its articles are known "
                        "from it alone: restore it from a backup, or remove it and lose them",
                    )
                    continue
                files = [
                    self._place(file)
                    for file in prepare(
                        self.directory, path, found[0], self.publication.codings,
                        dry_run=self.dry_run,
                    )
                ]  # fmt: skip
            except (PublishError, OSError) as error:
                self._fail(spec.key, str(error))
                continue
            self.documents.append(_Document(spec.key, archive.number, b"", files))
        if self.documents:
            self.save()

    def remove_strays(self) -> None:
        """Remove the files of archive documents that are no more."""
        if self.dry_run:
            return
        with self.store.transaction() as connection:
            for path in published.stray_paths(connection):
                try:
                    remove(self.directory, path)
                except PublishError as error:
                    self.summary.failures.append(str(error))
                    continue
                published.forget_paths(connection, [path])

    def _fail(self, key: str, failure: str) -> None:
        self.failed.add(key)
        self.summary.failures.append(failure)

    def _place(self, file: Prepared) -> PublishedFile:
        if file.is_new:
            self.summary.paths.append(file.path)
        if self.dry_run:
            return PublishedFile(file.path, 0, 0)
        if file.temporary is not None:
            self.touched.add((self.directory / file.path).parent)
        return put(self.directory, file, self.publication.codings)

    def _keep(self, job: Job, state: FeedState, files: list[PublishedFile]) -> None:
        """Note a feed that is on disk, and remove its files of formats that are no more."""
        old = self.manifest.get(state.key)
        paths = {file.path for file in files}
        for file in old.files if old is not None else ():
            if file.path not in paths and not self.dry_run:
                remove(self.directory, file.path)
        # Its own files first: packed ones were put into place before them.
        own = [file for file in files if file.path in job.paths.values()]
        state = replace(state, files=(*own, *(file for file in files if file not in own)))
        self.states.append(state)
        self.manifest[state.key] = state
