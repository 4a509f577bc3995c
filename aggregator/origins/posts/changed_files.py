"""The files of a posts folder that differ from the known ones, by `stat`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from aggregator.model.articles import Problem
from aggregator.model.errors import UnusableError
from aggregator.model.polls import FileState
from aggregator.origins.posts.scan import PostsDigest, file_stat, is_being_written, location


class ToRead(NamedTuple):
    """A file to read: its real path, its `stat` result, and hashes of its last content.

    A file with the `known_hash` need not be read again; one with the `reread_hash` is read
    again by other rules.
    """

    path: str
    state: FileState
    known_hash: bytes
    reread_hash: bytes = b""


@dataclass(slots=True)
class ChangedFiles:
    """The files that differ from the known ones, found by walking both in order."""

    root: str
    paths: Iterable[str]
    known: Iterator[FileState]
    read_all: bool
    settle: bool
    waiting: list[str] = field(default_factory=list)
    digest: PostsDigest = field(default_factory=PostsDigest)
    gone: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def pieces(self, size: int) -> Iterator[list[ToRead]]:
        """Yield the files to read, in lists of up to `size`."""
        due = self._due()
        while piece := list(islice(due, size)):
            yield piece

    def _due(self) -> Iterator[ToRead]:
        state = next(self.known, None)
        for path in self.paths:
            place = location(path)
            while state is not None and state.path < place:
                self.gone.append(state.path)
                state = next(self.known, None)
            old = state if state is not None and state.path == place else None
            if old is not None:
                state = next(self.known, None)
            try:
                found = file_stat(self.root, path, self.digest)
            except UnusableError as error:
                self.problems.append(Problem(place, error.reason))
                continue
            if found is None:
                if old is not None:
                    self.gone.append(place)
                continue
            seen = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            if old is not None and old[1:5] == seen and not (old.young or self.read_all):
                continue  # nearly every file of a scan
            new = FileState(
                place,
                found.st_size,
                _stored(found.st_mtime_ns),
                _stored(found.st_ctime_ns),
                _stored(found.st_ino),
            )
            differs = old is None or old[:5] != new[:5]
            if differs and self.settle and is_being_written(f"{self.root}/{path}", found):
                # Its state is not saved, so that it differs again the next time.
                self.waiting.append(path)
            elif old is None or self.read_all:
                yield ToRead(path, new, b"", old.content_hash if old is not None else b"")
            elif old.young or differs:
                # An earlier version may have saved another file at an escaped location.
                yield ToRead(path, new, old.content_hash if place == path else b"")
        while state is not None:
            self.gone.append(state.path)
            state = next(self.known, None)


def _stored(number: int) -> int:
    """Return a number of `stat` as a column holds it: 64 bits with a sign.

    Times after 2262 and the inodes of some file systems have more; different numbers stay
    different.
    """
    return (number + 2**63) % 2**64 - 2**63
