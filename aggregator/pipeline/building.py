"""Poll the posts folders and build the feeds, for the command line and for the daemon."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from aggregator import processes
from aggregator.build import builder, unchanged
from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.reports import Progress, Report
from aggregator.model.summaries import BuildSummary, PollSummary
from aggregator.origins import from_settings
from aggregator.origins.posts.folder import PostsFolder
from aggregator.origins.posts.listing import newest_change
from aggregator.pipeline import recovery
from aggregator.poll import post_files
from aggregator.poll.ingest import MergeRules
from aggregator.publish import templates
from aggregator.publish.destination import destination_of
from aggregator.publish.publication import Publication
from aggregator.store import pages, problems, published, windows
from aggregator.store.articles import count_articles, prune_bodies
from aggregator.store.database import Store
from aggregator.store.lock import exclusive
from aggregator.store.origins import (
    finish_poll,
    has_files_to_read_again,
    has_young_files,
    rename_origin,
    start_poll,
)

WHO = "aggregator build-feeds"


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What to build; `wait` is for the lock, in seconds.

    With `named`, only those paths of the posts folders are polled, by the name of the folder.
    `settle` leaves files that are being written for a later run.  Without `write_stamp`
    the next run compares everything, even if nothing changes until then.  With `shares_poll`
    other machines poll as well, and begin and end the poll that this one is part of.  Without
    `checks_archives`, documents of archives that are missing or altered are not looked for.
    """

    poll: bool = True
    named: Mapping[str, Collection[str]] | None = None
    build: bool = True
    full: bool = False
    source: str | None = None
    dry_run: bool = False
    allow_empty: bool = False
    wait: float = 60.0
    settle: bool = False
    write_stamp: bool = True
    shares_poll: bool = False
    checks_archives: bool = True


@dataclass(slots=True)
class BuildOutcome:
    """What a poll of the posts folders and a build did.

    `waiting` is how many files were being written; with `young` some were read so soon
    after a change that they may have been torn.  `unsettled` are the paths of all these that were
    looked at, by the name of the folder.  `poll_seconds` is how long the poll took.  `next_due` is
    when the next scheduled article is published.  `notices` are no failures; `losses` could not
    be recovered from a damaged store.
    """

    poll: PollSummary = field(default_factory=PollSummary)
    build: BuildSummary = field(default_factory=BuildSummary)
    articles: int = 0
    problems: int = 0
    waiting: int = 0
    young: bool = False
    unsettled: dict[str, list[str]] = field(default_factory=dict)
    poll_seconds: float = 0.0
    next_due: datetime.datetime | None = None
    notices: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        """Return what could not be done, in the order in which it was tried."""
        return self.losses + self.poll.failures + self.build.failures


def build_feeds(
    settings: Settings,
    config: Path,
    options: BuildOptions,
    report: Report,
    clock: Callable[[], float] = time.time,
) -> BuildOutcome:
    """Poll the posts folders, then build the feeds.

    Raises `LockedError` if another run holds the store for longer than `options.wait`.
    """
    now = datetime.datetime.fromtimestamp(int(clock()), datetime.UTC)
    work = partial(_build_feeds, settings, config, options, now, report)
    with exclusive(paths.store_lock(settings), options.wait, WHO):
        return work([], []) if options.dry_run else recovery.recovering(settings, work)


def tidy(settings: Settings) -> None:
    """Delete texts that nothing refers to, and let the database tidy itself."""
    with recovery.open_store(settings) as store:
        with store.transaction() as connection:
            prune_bodies(connection)
        store.tidy()


def wait_until_quiet(settings: Settings, seconds: float) -> None:
    """Wait until no post has changed for `seconds`; ten times as long at most."""
    deadline = time.monotonic() + 10 * seconds
    while time.monotonic() < deadline:
        ages = [
            time.time() - newest
            for posts in settings.posts
            if (newest := newest_change(settings.base / posts.path, posts.glob, posts.layout))
            is not None
        ]
        age = min((age for age in ages if age >= 0), default=seconds)
        if age >= seconds:
            return
        time.sleep(seconds - age)


def _build_feeds(
    settings: Settings,
    config: Path,
    options: BuildOptions,
    now: datetime.datetime,
    report: Report,
    notices: list[str],
    losses: list[str],
) -> BuildOutcome:
    outcome = BuildOutcome(notices=notices, losses=losses)
    if not options.dry_run:
        unchanged.forget(settings.store_path)
        templates.compiled.keep_in(paths.templates_path(settings))
    folders = from_settings.posts_folders(settings, settle=options.settle)
    with recovery.open_store(settings, dry_run=options.dry_run) as store:
        if options.poll:
            with store.transaction() as connection:
                number = start_poll(connection)
            began = time.monotonic()
            outcome.poll = poll_posts(
                store,
                settings,
                folders,
                number,
                now,
                read_all=options.full,
                allow_empty=options.allow_empty,
                named=options.named,
                progress=partial(report, "posts"),
            )
            outcome.poll_seconds = time.monotonic() - began
            if not options.shares_poll:
                with store.transaction() as connection:
                    finish_poll(connection, number)
        if options.build:
            outcome.build = builder.build(
                store,
                Publication.of(settings),
                destination_of(settings),
                now,
                only_source=options.source,
                full=options.full,
                allow_empty=options.allow_empty,
                dry_run=options.dry_run,
                checks_archives=options.checks_archives or bool(notices or losses),
                search_index=paths.search_path(settings),
                report=report,
            )
        outcome.notices += outcome.build.notices + processes.take_notices()
        with store.transaction() as connection:
            if options.full:
                prune_bodies(connection)
            outcome.articles = count_articles(connection)
            outcome.problems = problems.count(connection)
            outcome.next_due = windows.next_due(connection, now)
            outcome.young = has_young_files(connection)
            outcome.waiting = sum(len(folder.waiting) for folder in folders)
            outcome.unsettled = {folder.name: folder.waiting + folder.young for folder in folders}
            is_current = (
                options.build
                and options.write_stamp
                and options.source is None
                and not options.dry_run
                and not (outcome.waiting or outcome.failures)
                and all(folder.seen is not None for folder in folders)
                and not has_files_to_read_again(connection)
            )
            # There are many: only for the stamp.
            published_paths = _published_paths(connection) if is_current else []
    if is_current:
        _write_stamp(settings, config, folders, published_paths, outcome)
    return outcome


def _published_paths(connection: Connection) -> list[str]:
    """Return all that is published but the pages of articles, whose folders stand for them."""
    return published.paths(connection) + sorted(pages.folders(connection))


def _write_stamp(
    settings: Settings,
    config: Path,
    folders: list[PostsFolder],
    published_paths: list[str],
    outcome: BuildOutcome,
) -> None:
    """Let the next run end at once while nothing changes."""
    posts = [
        (configured.path, *folder.seen)
        for configured, folder in zip(settings.posts, folders, strict=True)
        if folder.seen is not None
    ]
    # Of feeds in object storage, there is nothing to look at.
    if isinstance(settings.feeds_address, Path):
        unchanged.note(
            config,
            settings.store_path,
            settings.store_address,
            posts,
            settings.feeds.directory,
            published_paths,
            settings.site.templates,
            outcome.next_due.timestamp() if outcome.next_due is not None else None,
            {
                "articles": outcome.articles,
                "feeds": outcome.build.feeds,
                "problems": outcome.problems,
                "others": outcome.poll.others,
            },
        )


def poll_posts(
    store: Store,
    settings: Settings,
    folders: list[PostsFolder],
    number: int,
    now: datetime.datetime,
    *,
    read_all: bool = False,
    allow_empty: bool = False,
    named: Mapping[str, Collection[str]] | None = None,
    progress: Progress,
) -> PollSummary:
    """Poll the posts folders, and forget origins that are not configured any more.

    `number` is that of the poll, `now` the time at which it began; with `named`, only these
    paths are polled.
    """
    rules = MergeRules.of(settings)
    with store.transaction() as connection:
        for posts in settings.posts:
            if posts.former_name not in settings.origin_names:
                rename_origin(connection, posts.former_name, posts.name)
    summary = post_files.poll(
        store,
        folders,
        rules,
        number,
        now,
        read_all=read_all,
        allow_empty=allow_empty,
        named=named,
        progress=progress,
    )
    if not summary.failures:
        post_files.forget_others(store, settings.origin_names, rules, number, now)
    return summary
