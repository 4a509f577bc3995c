"""Where feeds are published: a folder, or a place in object storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aggregator.config.schema import Settings
from aggregator.model.atomic import remove_quietly
from aggregator.model.errors import PublishError
from aggregator.model.feeds import PublishedFile


@dataclass(frozen=True)
class Prepared:
    """A file that is ready to be put into place; `left` is what it will be there.

    Of a folder, its bytes are in the file `temporary`, unless the published file has them
    already or the run is dry.  Of object storage, they are its `body`, with the object's
    `attributes`.  `is_new` says that they differ from those of the published file: of an
    object, once it is put.  It is false for a file in a content coding beside its original.
    `is_synced` says that the bytes of the temporary file outlive a power cut, and `replaces` that
    there is a published file already.
    """

    left: PublishedFile
    is_new: bool
    temporary: Path | None = None
    body: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)
    is_synced: bool = True
    replaces: bool = True

    def discard(self) -> None:
        """Remove the temporary file, if it is still there."""
        if self.temporary is not None:
            remove_quietly(self.temporary)


class Destination(Protocol):
    """A place for published files, whose paths are relative to it.

    Methods that reach it raise `PublishError`, which names the file and says what to do.
    """

    def place(self, path: str) -> str:
        """Return where a file is, for messages; "" is the place as a whole."""

    def begin(self, *, dry_run: bool = False) -> None:
        """Begin a build, which reads the store after this; the caller holds the store's lock."""

    def names(self, paths: Iterable[str]) -> list[str]:
        """Return the given paths, and those of their files in each content coding."""

    def prepare(
        self, path: str, data: bytes, *, dry_run: bool = False, sync: bool = True
    ) -> list[Prepared]:
        """Prepare a file with these bytes, and after it those in each content coding.

        Runs in any process.  A dry run writes nothing.  After an error nothing is left.  Without
        `sync`, the method of that name writes the bytes of all files to the disk: of many files,
        each by itself takes longer.
        """

    def put(
        self, documents: Sequence[Sequence[Prepared]], *, dry_run: bool = False
    ) -> Iterator[tuple[Prepared, ...] | PublishError]:
        """Put the files of documents into place; yield what became of each, in their order.

        After an error the old file is unchanged.
        """

    def sync(self, files: Iterable[Prepared]) -> None:
        """Return once these files outlive a power cut."""

    def folder_state(self, path: str) -> int | None:
        """Return what differs when a file of a folder came, went or was replaced.

        None if there are no folders: files are then compared.
        """

    def clean(self, path: str) -> None:
        """Remove what a killed run left in a folder."""

    def remove(self, path: str) -> None:
        """Remove a file that is no longer published, if there is one."""

    def is_as_left(self, files: Iterable[PublishedFile], *, full: bool = False) -> bool:
        """Return whether files are as they were left, and with `full` whether their bytes are."""

    def left_file(self, path: str) -> PublishedFile | None:
        """Return a file as it is now, or None if it cannot be read."""

    def exists(self, path: str) -> bool:
        """Return whether there is such a file."""

    def find(self, pattern: str) -> list[str]:
        """Return the sorted paths of files; only their names may have wildcards."""

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the first bytes of a file, without content coding; None if there is none."""

    def read_all(self, paths: Iterable[str], limit: int) -> Iterator[bytes | None]:
        """Yield the first bytes of several files, in order; the first error ends it."""


def destination_of(settings: Settings) -> Destination:
    """Return where the feeds of a site are published."""
    address, codings = settings.feeds_address, settings.feeds.compress
    if isinstance(address, str):
        from aggregator.publish.object_storage import ObjectStorage

        return ObjectStorage(address, codings)
    from aggregator.publish.files import Folder

    return Folder(address, codings)
