"""One run: lock, store, poll, build.

The command line and the daemon call the same steps.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aggregator import processes
from aggregator.build import builder, unchanged
from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.summaries import BuildSummary, PollSummary
from aggregator.origins import from_settings
from aggregator.origins.posts.folder import PostsFolder
from aggregator.origins.posts.scan import newest_change
from aggregator.pipeline import recovery
from aggregator.poll import post_files
from aggregator.poll.ingest import MergeRules
from aggregator.publish.publication import Publication
from aggregator.store import problems, published, windows
from aggregator.store.articles import count_articles, prune_bodies
from aggregator.store.database import Store
from aggregator.store.lock import exclusive
from aggregator.store.origins import (
    finish_poll,
    has_files_to_read_again,
    has_young_files,
    start_poll,
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to do; `wait` is for the lock, in seconds.

    `settle` leaves files that are being written for later, and without `note` the next
    run looks at everything whatever this one leaves.
    """

    poll: bool = True
    full: bool = False
    source: str | None = None
    dry_run: bool = False
    allow_empty: bool = False
    wait: float = 60.0
    settle: bool = False
    note: bool = True


@dataclass(slots=True)
class Outcome:
    """What a run did.  `notices` are remarks for the user that are no failure.

    `waiting` files were being written, and some read so `young` that they may have been
    torn; `next_due` is when an article that is held back will be published.  `losses` are
    what could not be saved of a store that was damaged.
    """

    poll: PollSummary = field(default_factory=PollSummary)
    build: BuildSummary = field(default_factory=BuildSummary)
    articles: int = 0
    problems: int = 0
    waiting: int = 0
    young: bool = False
    next_due: datetime.datetime | None = None
    notices: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """What could not be done, in the order in which it was tried."""
        return self.losses + self.poll.failures + self.build.failures


def build_feeds(
    settings: Settings,
    config: Path,
    options: Options,
    progress: Progress,
    clock: Callable[[], float] = time.time,
) -> Outcome:
    """Poll the posts folders, then build: all that `aggregator build-feeds` does.

    Raises `LockedError` if another run keeps the store for longer than `options.wait`.
    """
    started = clock()
    with exclusive(paths.lock_path(settings), options.wait, "aggregator build-feeds"):
        outcome = Outcome()

        def work() -> Outcome:
            # What was done before the store could not be read is done, and counted again.
            again = Outcome(notices=outcome.notices, losses=outcome.losses)
            return _build_feeds(settings, config, options, again, started, progress)

        if options.dry_run:
            return work()
        return recovery.recovering(settings, outcome.notices, outcome.losses, work)


def tidy(settings: Settings) -> None:
    """Prune texts that nothing refers to, and let the database tidy itself."""
    with recovery.open_store(settings) as store:
        with store.transaction() as connection:
            prune_bodies(connection)
        store.tidy()


def wait_until_quiet(settings: Settings, seconds: float) -> None:
    """Wait until no post changed for `seconds`, for ten times that at most."""
    deadline = time.monotonic() + 10 * seconds
    while time.monotonic() < deadline:
        ages = [
            time.time() - newest
            for posts in settings.posts
            if (newest := newest_change(settings.base / posts.path, posts.glob)) is not None
        ]
        age = min((age for age in ages if age >= 0), default=seconds)
        if age >= seconds:
            return
        time.sleep(seconds - age)


def _build_feeds(
    settings: Settings,
    config: Path,
    options: Options,
    outcome: Outcome,
    started: float,
    progress: Progress,
) -> Outcome:
    now = datetime.datetime.fromtimestamp(int(started), datetime.UTC)
    publication = Publication.of(settings)
    if not options.dry_run:
        unchanged.forget(settings.store_path)
    folders = from_settings.posts_folders(settings, settle=options.settle)
    with recovery.open_store(settings, dry_run=options.dry_run) as store:
        if options.poll:
            with store.transaction() as connection:
                number = start_poll(connection)
            outcome.poll = poll_posts(
                store,
                settings,
                folders,
                number,
                now,
                read_all=options.full,
                allow_empty=options.allow_empty,
                progress=lambda done, total: progress("posts", done, total),
            )
            with store.transaction() as connection:
                finish_poll(connection, number)
        outcome.build = builder.build(
            store,
            publication,
            settings.feeds_directory,
            now,
            only_source=options.source,
            full=options.full,
            allow_empty=options.allow_empty,
            dry_run=options.dry_run,
            progress=lambda done, total: progress("feeds", done, total),
        )
        outcome.notices += outcome.build.notices + processes.take_notices()
        with store.transaction() as connection:
            if options.full:
                prune_bodies(connection)
            outcome.articles = count_articles(connection)
            outcome.problems = problems.count(connection)
            outcome.next_due = next_due = windows.next_due(connection, now)
            is_settled = not has_files_to_read_again(connection)
            outcome.young = has_young_files(connection)
            paths = published.paths(connection)
    outcome.waiting = sum(folder.waiting for folder in folders)
    is_settled = is_settled and not outcome.waiting
    seen = [folder.seen for folder in folders]
    is_whole_run = None not in seen and options.source is None and not options.dry_run
    if is_whole_run and is_settled and options.note and not outcome.failures:
        unchanged.note(
            config,
            settings.store_path,
            [
                (posts.path, *state)
                for posts, state in zip(settings.posts, seen, strict=True)
                if state is not None
            ],
            settings.feeds.directory,
            paths,
            next_due.timestamp() if next_due is not None else None,
            {
                "articles": outcome.articles,
                "feeds": outcome.build.feeds,
                "problems": outcome.problems,
            },
        )
    return outcome


def poll_posts(
    store: Store,
    settings: Settings,
    folders: list[PostsFolder],
    number: int,
    now: datetime.datetime,
    *,
    read_all: bool = False,
    allow_empty: bool = False,
    progress: Callable[[int, int], None],
) -> PollSummary:
    """Poll the posts folders, and forget origins that are no longer configured."""
    rules = MergeRules.of(settings)
    summary = post_files.poll(
        store,
        folders,
        rules,
        number,
        now,
        read_all=read_all,
        allow_empty=allow_empty,
        progress=progress,
    )
    if not summary.failures:
        post_files.forget_others(store, settings.origin_names, rules, number, now)
    return summary
