"""Object storage as the place of published feeds: S3 and what speaks like it, Google's, Azure's.

A build lists the objects once, before it reads the store.  It then replaces an object only
if it is still the listed one, and creates one only if none was listed.  If another process has
written meanwhile, the request fails by a condition that the storage itself checks (`If-Match`,
`If-None-Match`, RFC 9110 §13.1).  So an object is only ever replaced by what was read from the
store after that object was written, however long a build was stopped, and whether or not it still
holds its lock.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import filter as matching
from itertools import groupby, islice

from aggregator.model.errors import PublishError
from aggregator.model.feeds import PublishedFile
from aggregator.publish.compression import compressed
from aggregator.publish.destination import Prepared
from aggregator.publish.http_headers import cache_control, content_type
from aggregator.publish.publication import ARCHIVES
from aggregator.publish.storage_client import (
    BrokenConditionError,
    ListedObject,
    StorageClient,
    in_a_thread,
)

CONCURRENCY = 16  # uploads at a time, and downloads
REQUEST_SECONDS, LIST_SECONDS = 30.0, 60.0
# Failed uploads in a row after which no more are tried in this build.
MAX_FAILURES = 3
_ENCODING = "Content-Encoding"
# More than what a coding can add to some bytes.
_CODING_BYTES = 65_536


class ObjectStorage:
    """A place in object storage as a `Destination`, by its URL, such as s3://bucket/prefix.

    Object storage does not negotiate content codings, so if `codings` has gzip, every object
    is stored compressed.  Access keys and endpoints come from the environment.
    """

    def __init__(
        self, url: str, codings: Sequence[str] = (), *, request_seconds: float = REQUEST_SECONDS
    ) -> None:
        self._url = url
        self._codings = codings
        self._request_seconds = request_seconds
        self._connection: StorageClient | None = None
        self._listed: dict[str, ListedObject] | None = None
        self._names: dict[str, list[str]] = {}
        self._failures = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[ObjectStorage], tuple[str, Sequence[str]]]:
        # In a worker process, which only prepares.
        return ObjectStorage, (self._url, self._codings)

    def place(self, path: str) -> str:
        """Return the URL of an object."""
        return f"{self._url}/{path}" if path else self._url

    def begin(self, *, dry_run: bool = False) -> None:
        """List the objects."""
        self._failures = 0
        self._listed = None
        self._objects()

    def names(self, paths: Iterable[str]) -> list[str]:
        """Return the paths: each is one object."""
        return list(paths)

    def prepare(
        self, path: str, data: bytes, *, dry_run: bool = False, sync: bool = True
    ) -> list[Prepared]:
        """Prepare an object with these bytes, in a content coding if one is configured."""
        attributes = {
            "Content-Type": content_type(path),
            "Cache-Control": cache_control(path, data),
        }
        body = data
        if "gzip" in self._codings:
            body = compressed(data, "gzip")
            attributes[_ENCODING] = "gzip"
        left = PublishedFile(path, len(body), 0, zlib.crc32(body))
        return [Prepared(left, is_new=True, body=body, attributes=attributes)]

    def put(
        self, documents: Sequence[Sequence[Prepared]], *, dry_run: bool = False
    ) -> Iterator[tuple[Prepared, ...] | PublishError]:
        """Upload the objects that differ; archives are there before feeds that follow."""
        self._objects()

        def put(files: Sequence[Prepared]) -> tuple[Prepared, ...] | PublishError:
            try:
                return tuple([self._put(file, dry_run=dry_run) for file in files])
            except PublishError as error:
                return error

        for _, group in groupby(documents, _is_archive):
            some = list(group)
            if len(some) == 1:
                yield in_a_thread(put, some[0])
                continue
            # All threads end here: worker processes may be forked after it.
            with ThreadPoolExecutor(CONCURRENCY) as pool:
                yield from pool.map(put, some)

    def _put(self, file: Prepared, *, dry_run: bool) -> Prepared:
        """Upload an object, unless there is the same one; return it with its ETag."""
        path = file.left.path
        found = self._objects().get(path)
        if self._failures >= MAX_FAILURES:
            raise PublishError(
                f"{self._url}: {MAX_FAILURES} uploads in a row failed, so the others were not "
                "tried; the next build tries them again"
            )
        if found is not None and found.size == file.left.size:
            there = self._same(file)
            if there is not None:
                return self._left(file, there, is_new=False)
        if dry_run:
            return file
        try:
            replaced = None if found is None else self._condition(path, found)
            etag = self._client().put(path, file.body, file.attributes, replaced)
        except BrokenConditionError as error:
            # If the response to an upload is lost, it is repeated, and finds its own object.
            there = self._same(file)
            if there is None:
                raise self._conflict(path) from error
            etag = there
        except PublishError:
            with self._lock:
                self._failures += 1
            raise
        with self._lock:
            self._failures = 0
        return self._left(file, etag, is_new=True)

    def _left(self, file: Prepared, etag: str, *, is_new: bool) -> Prepared:
        """Return an object with its ETag, by which it is known from now on."""
        left = replace(file.left, etag=etag)
        self._objects()[left.path] = ListedObject(left.size, etag)
        self._names = {}
        return replace(file, left=left, is_new=is_new, body=b"")

    def _condition(self, path: str, found: ListedObject) -> dict[str, str]:
        """Return the condition that an object is still the one that was listed."""
        if self._url.startswith("s3:"):
            return {"e_tag": f'"{found.etag}"'}
        # Google's condition is a number, which no listing has.
        now = self._client().version(path)
        if now is None or now[0] != found.etag:
            raise self._conflict(path)
        return now[1]

    def sync(self, files: Iterable[Prepared]) -> None:
        """Do nothing: what the storage has accepted is safe."""

    def folder_state(self, path: str) -> int | None:
        """Return None: objects are in no folders."""
        return None

    def clean(self, path: str) -> None:
        """Do nothing: an upload that was cut off leaves nothing."""

    def remove(self, path: str) -> None:
        """Remove an object, if it is the one that was listed."""
        found = self._objects().get(path)
        if found is not None:
            in_a_thread(self._remove, path, found.etag)
            del self._objects()[path]
            self._names = {}

    def _remove(self, path: str, etag: str) -> None:
        now = self._client().version(path)
        if now is not None:
            if now[0] != etag:
                raise self._conflict(path)
            self._client().delete(path)

    def is_as_left(self, files: Iterable[PublishedFile], *, full: bool = False) -> bool:
        """Return whether objects have their size and ETag, which vouches for their bytes."""
        objects = self._objects()
        return all(objects.get(file.path) == ListedObject(file.size, file.etag) for file in files)

    def left_file(self, path: str) -> PublishedFile | None:
        """Return an object as it was listed."""
        found = self._objects().get(path)
        return None if found is None else PublishedFile(path, found.size, 0, etag=found.etag)

    def exists(self, path: str) -> bool:
        """Return whether there was such an object."""
        return path in self._objects()

    def find(self, pattern: str) -> list[str]:
        """Return the sorted paths of objects."""
        folder, slash, name = pattern.rpartition("/")
        if not self._names:
            for path in sorted(self._objects()):
                place, _, last = path.rpartition("/")
                self._names.setdefault(place, []).append(last)
        return [folder + slash + found for found in matching(self._names.get(folder, []), name)]

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the first bytes of an object, without its content coding."""
        found = in_a_thread(self._client().get, path, limit + _CODING_BYTES)
        if found is None:
            return None
        data, attributes, _ = found
        if attributes.get(_ENCODING) != "gzip":
            return data[:limit]
        try:
            return zlib.decompressobj(wbits=31).decompress(data, limit)
        except zlib.error as error:
            raise PublishError(
                f"{self.place(path)}: cannot be read: it is not gzip, as its Content-Encoding says"
            ) from error

    def read_all(self, paths: Iterable[str], limit: int) -> Iterator[bytes | None]:
        """Return the same of several objects, some of which are read at once."""
        rest = iter(paths)
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            # No more of them are in memory than are read at a time.
            while some := list(islice(rest, CONCURRENCY)):
                yield from pool.map(lambda path: self.read(path, limit), some)

    def _same(self, file: Prepared) -> str | None:
        """Return the ETag of an object if it has just these bytes and attributes, else None."""
        found = self._client().get(file.left.path, len(file.body) + 1)
        if found is None or found[0] != file.body:
            return None
        _, attributes, etag = found
        wanted = file.attributes
        is_same = all(attributes.get(name) == wanted.get(name) for name in (*wanted, _ENCODING))
        return etag if is_same else None

    def _objects(self) -> dict[str, ListedObject]:
        """Return the objects by their paths; they are listed once a build."""
        if self._listed is None:
            self._listed, self._names = self._client().list(LIST_SECONDS), {}
        return self._listed

    def _client(self) -> StorageClient:
        if self._connection is None:
            self._connection = StorageClient(self._url, self._request_seconds)
        return self._connection

    def _conflict(self, path: str) -> PublishError:
        return PublishError(
            f"{self.place(path)}: another process has written it since this build began, so it "
            "was kept as it is. If this process had been stopped or cut off, there is nothing to "
            "do: the next build goes on from what is there. If not, let only one aggregator "
            f"publish to {self._url}"
        )


def _is_archive(files: Sequence[Prepared]) -> bool:
    return any(file.left.path.startswith(ARCHIVES) for file in files)
