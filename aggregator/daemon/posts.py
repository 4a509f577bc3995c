"""The daemon's work on posts: it watches the folders, polls what changed, and builds the feeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from aggregator import processes
from aggregator.build import unchanged
from aggregator.config.paths import is_database
from aggregator.config.schema import Settings
from aggregator.daemon.due import Due
from aggregator.daemon.health import Health
from aggregator.daemon.network import LOCK_WAIT
from aggregator.daemon.scans import Named, Scans
from aggregator.daemon.watch import FolderWatch, Watched
from aggregator.pipeline import building
from aggregator.pipeline.building import BuildOutcome

# Seconds until a file is looked at again that is being written, or was until lately.
AFTER_WAITING, AFTER_YOUNG = 0.5, 2.2
# A scan that reads more files takes longer than the next one.
FEW = 500


class PostsWork:
    """Polls the posts folders of a site and builds its feeds, whenever that is due."""

    def __init__(
        self,
        config: Path,
        health: Health,
        due: Due,
        roles: frozenset[str],
        heartbeat: Callable[[], None],
    ) -> None:
        self._config = config
        self._health = health
        self._due = due
        self._polls, self._builds = "posts" in roles, "build" in roles
        self._heartbeat = heartbeat
        self._scans = Scans()
        self._watch: FolderWatch | None = None
        self._is_started = False

    def watch(self, settings: Settings) -> None:
        """Watch the folders of these settings, and no others; look at all of their files."""
        self.close()
        folders = [
            Watched(posts.name, settings.base / posts.path, "/" in posts.glob)
            for posts in (settings.posts if self._polls else ())
        ]
        self._scans.must_scan()
        self._watch = FolderWatch(folders, self._named)
        if self._is_started:
            self.start()

    def start(self) -> None:
        """Take the events of the folders that are watched, in threads of their own."""
        self._is_started = True
        if self._watch is not None:
            self._watch.start(self._health)

    def must_scan(self) -> None:
        """Look at all files, the next time that posts are due."""
        self._scans.must_scan()

    def poll_and_build(
        self, due: set[str], settings: Settings, *, is_loaded: bool
    ) -> BuildOutcome | None:
        """Poll what changed and build, for kinds of work that are due.

        None if nothing has changed.  `is_loaded` says that the settings are those of the file.
        """
        polls = self._polls and bool(due & {"posts", "files", "reload"})
        if polls and "reload" in due:
            self._scans.must_scan()
        named = self._take(is_scheduled="posts" in due) if polls else None
        if named is not None and not any(named.values()):
            # Events tell of changes, and there were none; but what failed is tried again.
            polls = False
            if self._health.has_succeeded("posts"):
                due = due - {"posts", "files"}
        if not polls and not (due and self._builds):
            return None
        try:
            outcome = self._poll_and_build(polls, named, settings, is_loaded)
        except BaseException:
            self._scans.must_scan()
            raise
        if outcome is not None and outcome.poll.failures:
            self._scans.must_scan()
        return outcome

    def close(self) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.close()

    def _poll_and_build(
        self, polls: bool, named: Named | None, settings: Settings, is_loaded: bool
    ) -> BuildOutcome | None:
        is_scan = polls and named is None
        if is_scan and self._health.has_succeeded("posts"):
            began = time.monotonic()
            last = unchanged.check(self._config)
            if last is not None:
                self._scans.scanned(time.monotonic() - began, found=False)
                self._health.record_totals(last["articles"], last["feeds"], last["problems"])
                return None
        options = building.BuildOptions(
            poll=polls,
            named=named,
            build=self._builds,
            wait=LOCK_WAIT,
            settle=True,
            write_stamp=is_loaded,
            shares_poll=is_database(settings.store),
            # A machine that polls no posts scans nothing.
            checks_archives=is_scan or not self._polls,
        )
        outcome = building.build_feeds(
            settings, self._config, options, lambda *_: self._heartbeat()
        )
        self._health.record_build(outcome)
        if is_scan:
            # A scan that read much took longer than the next one will.
            seconds = outcome.poll_seconds if outcome.poll.read <= FEW else 0.0
            self._scans.scanned(seconds, found=bool(outcome.poll.changes or outcome.poll.gone))
        if outcome.waiting or outcome.young:
            self._scans.look_again(outcome.unsettled)
            self._due.mark_later(AFTER_WAITING if outcome.waiting else AFTER_YOUNG, "files")
        self._due.mark_at(outcome.next_due, "scheduled")
        processes.give_back_memory()
        return outcome

    def _take(self, *, is_scheduled: bool) -> Named | None:
        gives_events = self._watch is not None and self._watch.sees_all
        return self._scans.take(is_scheduled=is_scheduled, gives_events=gives_events)

    def _named(self, folder: str, paths: Collection[str] | None) -> None:
        """Take what events say has changed."""
        self._scans.add_event(folder, paths)
        self._due.mark("files")
