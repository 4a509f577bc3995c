"""A posts folder as an origin: `stat` changed, then each changed file once."""

from __future__ import annotations

import datetime
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path

from aggregator import processes
from aggregator.model.articles import Copy, Problem
from aggregator.model.digests import digest, digest_of
from aggregator.model.errors import OriginError, UnusableError
from aggregator.model.polls import Batch, FileState
from aggregator.model.reports import Progress
from aggregator.origins.posts import neighbours
from aggregator.origins.posts.changed_files import ChangedFiles, ToRead
from aggregator.origins.posts.listing import has_posts, list_folder, list_posts, posts_among
from aggregator.origins.posts.post import PostFile, PostRules
from aggregator.origins.posts.post_file import parse
from aggregator.origins.posts.scan import (
    QUIET_SECONDS,
    PostsDigest,
    changed_at,
    read_file,
)

# Increase whenever the same post would be read differently: all posts are then read again.
READER_VERSION = 5
BATCH = 500
NO_POST = (
    "its name is no longer that of a post (DATE-TITLE.md); its article was kept. Rename it, "
    "delete it, or set layout: plain"
)


class PostsFolder:
    """One posts folder (an `interface.Origin`)."""

    def __init__(self, folder: Path, glob: str, rules: PostRules, *, settle: bool = False) -> None:
        self._settle = settle
        # Files that are being written, and files that may have been torn when they were read.
        self.waiting: list[str] = []
        self.young: list[str] = []
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
        posts, others = list_folder(self._folder, self._glob, self._rules.layout)
        if others:
            yield Batch(self.name, others=others)
        if not posts and not allow_empty:
            if next(iter(known), None) is None:
                return
            if others:
                raise OriginError(
                    f"{root}: none of its files is a post of layout {self._rules.layout}; nothing "
                    "was removed. Posts are called DATE-TITLE.md; layout: plain takes any name"
                )
            raise self._is_empty()
        self._digest = None
        changed = ChangedFiles(root, posts, iter(known), read_all, self._settle)
        yield from self._read_all(changed, now, lambda done: progress(done, max(done, len(posts))))
        self._digest, self._changed_ns = changed.digest, changed_ns

    def posts_among(self, paths: Iterable[str]) -> list[str] | None:
        """Return which of these paths are those of posts; see `interface.Origin.posts_among`."""
        return posts_among(self._folder, self._glob, self._rules.layout, paths)

    def poll_files(
        self, posts: Sequence[str], known: Iterable[FileState], now: datetime.datetime
    ) -> Iterator[Batch]:
        """Read what changed of a few files; see `interface.Origin.poll_files`."""
        changed = ChangedFiles(str(self._folder), posts, iter(known), False, self._settle)
        yield from self._read_all(changed, now, checks_rest=True)

    def _read_all(
        self,
        changed: ChangedFiles,
        now: datetime.datetime,
        progress: Callable[[int], None] = lambda done: None,
        *,
        checks_rest: bool = False,
    ) -> Iterator[Batch]:
        """Read the files that differ, then say which are gone and which cannot be used.

        Raises `OriginError` with `checks_rest` if all posts of the folder are gone.
        """
        done = 0
        read = partial(_read, changed.root, self._glob, self._rules, now)
        for batch in processes.ordered_map(read, changed.pieces(BATCH)):
            done += len(batch.states)
            progress(done)
            self.young += [state.path for state in batch.states if state.young]
            yield batch
        if checks_rest and changed.gone and not self._has_posts():
            raise self._is_empty()
        others = self._others(changed.gone)
        kept = {path for path in others if self._says_its_date(path)}
        changed.problems += [Problem(path, NO_POST) for path in sorted(kept)]
        leaving = [path for path in changed.gone if path not in kept]
        for start in range(0, len(leaving), BATCH):
            gone = tuple(leaving[start : start + BATCH])
            yield Batch(self.name, gone=gone, withdrawn=tuple(filter(others.__contains__, gone)))
        for start in range(0, len(changed.problems), BATCH):
            problems = tuple(changed.problems[start : start + BATCH])
            refused = tuple(problem.location for problem in problems)
            yield Batch(
                self.name,
                problems=problems,
                read=refused,
                states=tuple(FileState(location, 0, 0, 0, 0) for location in refused),
            )
        self.waiting += changed.waiting

    def _has_posts(self) -> bool:
        return has_posts(self._folder, self._glob, self._rules.layout)

    def _is_empty(self) -> OriginError:
        return OriginError(
            f"{self._folder}: no post left where there were some; nothing was removed. Is the "
            "disk mounted? If the folder is meant to be empty, use --allow-empty"
        )

    def _others(self, gone: list[str]) -> set[str]:
        """Return the files of a list that are still there, and no posts by the rules of today."""
        # An escaped location may be the name of another file.
        found = {path for path in gone if "\\" not in path and self._has_file(path)}
        if found:
            # One may have come back meanwhile.
            posts = self.posts_among(found)
            if posts is None:
                posts = list_posts(self._folder, self._glob, self._rules.layout)
            found.difference_update(posts)
        return found

    def _has_file(self, path: str) -> bool:
        """Return whether there is anything but a folder at a path."""
        try:
            return not stat.S_ISDIR(os.lstat(self._folder / path).st_mode)
        except OSError:
            return False

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


def _read(
    root: str, glob: str, rules: PostRules, now: datetime.datetime, due: list[ToRead]
) -> Batch:
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
