"""A posts folder as an origin: `stat` differences, then each changed file once."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from aggregator import processes
from aggregator.model.articles import Copy, Problem
from aggregator.model.digests import digest, digest_of
from aggregator.model.errors import OriginError, UnusableError
from aggregator.model.polls import Batch, FileState
from aggregator.origins.interface import Progress
from aggregator.origins.posts import neighbours
from aggregator.origins.posts.listing import list_folder, list_posts
from aggregator.origins.posts.post import PostFile, PostRules
from aggregator.origins.posts.post_file import parse
from aggregator.origins.posts.scan import (
    QUIET_SECONDS,
    PostsDigest,
    changed_at,
    file_stat,
    is_being_written,
    location,
    read_file,
)

# Increase whenever the same post would be read differently: all posts are then read again.
READER_VERSION = 5
BATCH = 500
NO_POST = (
    "its name is no longer that of a post (DATE-TITLE.md); its article was kept. Rename it, "
    "delete it, or set layout: plain"
)


class _Due(NamedTuple):
    """A file to read: its real path, its `stat` result, and hashes of its last content.

    A file with the `known_hash` need not be read again; one with the `reread_hash` is read
    again by other rules.
    """

    path: str
    state: FileState
    known_hash: bytes
    reread_hash: bytes = b""


class PostsFolder:
    """One posts folder (an `interface.Origin`)."""

    def __init__(self, folder: Path, glob: str, rules: PostRules, *, settle: bool = False) -> None:
        self._settle = settle
        self.waiting = 0
        self._folder = folder
        self._glob = glob
        self._rules = rules
        self._digest: PostsDigest | None = None
        self._changed_ns = 0

    @property
    def seen(self) -> tuple[str, str, str, int] | None:
        """The result of the last poll: glob, layout, digest, and when the folder changed.

        None before the end of a poll.
        """
        if self._digest is None:
            return None
        return (self._glob, self._rules.layout, self._digest.value(), self._changed_ns)

    @property
    def name(self) -> str:
        """The name of the folder in the store and in messages."""
        return self._rules.origin

    @property
    def rules(self) -> bytes:
        """The digest of all settings that reading depends on."""
        return digest_of((READER_VERSION, self._glob, astuple(self._rules)))

    def poll(
        self,
        known: Iterable[FileState],
        now: datetime.datetime,
        *,
        read_all: bool,
        allow_empty: bool,
        progress: Progress,
    ) -> Iterator[Batch]:
        """Read what changed; see `interface.Origin.poll`."""
        root = str(self._folder)
        changed_ns = changed_at(self._folder)
        listing = list_folder(self._folder, self._glob, self._rules.layout)
        paths = listing.posts
        differences = _Differences(root, paths, iter(known), read_all, self._settle)
        if listing.others:
            yield Batch(self.name, others=listing.others)
        if not paths and not allow_empty:
            if next(iter(known), None) is None:
                return
            if listing.others:
                raise OriginError(
                    f"{root}: none of its files is a post of layout {self._rules.layout}; nothing "
                    "was removed. Posts are called DATE-TITLE.md; layout: plain takes any name"
                )
            raise OriginError(
                f"{root}: no post left where there were some; nothing was removed. Is the disk "
                "mounted? If the folder is meant to be empty, use --allow-empty"
            )
        done = 0
        self._digest = None
        read = partial(_read, root, self._glob, self._rules, now)
        for batch in processes.ordered_map(read, differences.pieces()):
            done += len(batch.states)
            progress(done, max(done, len(paths)))
            yield batch
        others = self._others(differences.gone)
        kept = {path for path in others if self._says_its_date(path)}
        differences.problems += [Problem(path, NO_POST) for path in sorted(kept)]
        leaving = [path for path in differences.gone if path not in kept]
        for start in range(0, len(leaving), BATCH):
            gone = tuple(leaving[start : start + BATCH])
            yield Batch(self.name, gone=gone, withdrawn=tuple(filter(others.__contains__, gone)))
        for start in range(0, len(differences.problems), BATCH):
            problems = tuple(differences.problems[start : start + BATCH])
            refused = tuple(problem.location for problem in problems)
            yield Batch(
                self.name,
                problems=problems,
                read=refused,
                states=tuple(FileState(location, 0, 0, 0, 0) for location in refused),
            )
        self.waiting = differences.waiting
        self._digest, self._changed_ns = differences.digest, changed_ns

    def _others(self, gone: list[str]) -> set[str]:
        """Return the files of a list that are still there, and no posts by the rules of today."""
        # An escaped location may be the name of another file.
        found = {path for path in gone if "\\" not in path and os.path.lexists(self._folder / path)}
        if found:
            # One may have come back meanwhile.
            found.difference_update(list_posts(self._folder, self._glob, self._rules.layout))
        return found

    def _says_its_date(self, path: str) -> bool:
        """Return whether a file is an article of its own, and no template or the like."""
        try:
            data = read_file(str(self._folder), path, self._rules.max_bytes)
        except UnusableError:
            return True  # in doubt it stays
        if data is None:
            return False
        rules = replace(self._rules, layout="plain")
        copy = parse(PostFile(path, os.fsencode(path), data, 0), rules).copy
        return copy is not None and copy.published is not None


@dataclass(slots=True)
class _Differences:
    """The files that differ from the known ones, found by walking both in order."""

    root: str
    paths: list[str]
    known: Iterator[FileState]
    read_all: bool
    settle: bool
    waiting: int = 0
    digest: PostsDigest = field(default_factory=PostsDigest)
    gone: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def pieces(self) -> Iterator[list[_Due]]:
        """Yield the files to read, in lists of up to `BATCH`."""
        due = self._due()
        while piece := list(islice(due, BATCH)):
            yield piece

    def _due(self) -> Iterator[_Due]:
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
                self.waiting += 1
            elif old is None or self.read_all:
                yield _Due(path, new, b"", old.content_hash if old is not None else b"")
            elif old.young or differs:
                # An earlier version may have saved another file at an escaped location.
                yield _Due(path, new, old.content_hash if place == path else b"")
        while state is not None:
            self.gone.append(state.path)
            state = next(self.known, None)


def _stored(number: int) -> int:
    """Return a number of `stat` as a column holds it: 64 bits with a sign.

    Times after 2262 and the inodes of some file systems have more; different numbers stay
    different.
    """
    return (number + 2**63) % 2**64 - 2**63


def _read(root: str, glob: str, rules: PostRules, now: datetime.datetime, due: list[_Due]) -> Batch:
    """Read and parse the given files."""
    copies: list[Copy] = []
    problems: list[Problem] = []
    read: list[str] = []
    gone: list[str] = []
    withdrawn: list[str] = []
    states: list[FileState] = []
    find = partial(neighbours.find, root, glob, rules, now)
    for item in due:
        place = item.state.path
        try:
            data = read_file(root, item.path, rules.max_bytes)
        except UnusableError as error:
            problems.append(Problem(place, error.reason))
            read.append(place)
            states.append(item.state)
            continue
        if data is None:
            gone.append(place)
            continue
        modified = item.state.mtime_ns / 1e9
        young = abs(time.time() - modified) < QUIET_SECONDS
        content_hash = digest(data)
        states.append(item.state._replace(content_hash=content_hash, young=young))
        if content_hash == item.known_hash:
            continue
        file = PostFile(place, os.fsencode(item.path), data, min(modified, now.timestamp()))
        parsed = parse(file, rules, find)
        read.append(place)
        problems += parsed.problems
        if parsed.copy is not None:
            is_reread = content_hash == item.reread_hash
            copies.append(replace(parsed.copy, is_reread=True) if is_reread else parsed.copy)
        elif parsed.withdrawn:
            withdrawn.append(place)
    return Batch(
        rules.origin,
        copies=tuple(copies),
        problems=tuple(problems),
        read=tuple(read),
        gone=tuple(gone),
        withdrawn=tuple(withdrawn),
        states=tuple(states),
    )
