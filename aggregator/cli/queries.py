"""What `status`, `problems` and `sources` report, as plain values: times are RFC 3339."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.errors import PublishError, StoreError, masked
from aggregator.model.feeds import SourceName
from aggregator.origins.posts.listing import count_others
from aggregator.publish.destination import destination_of
from aggregator.publish.publication import Publication
from aggregator.store import (
    hub_queue,
    machines,
    origins,
    published,
    renditions,
    statistics,
    urls,
)
from aggregator.store.database import Store
from aggregator.store.dialects import size_of
from aggregator.store.problems import open_problems

MAX_STATE = 1_000_000
DAYS = 14
Values = dict[str, Any]


def status(settings: Settings) -> Values:
    """Return totals, the daemon, origins, hubs, sources and feeds.

    A feed is `on_disk` if its files are where they were published; None if that is unknown,
    for the reason in `feeds_error`.
    """
    destination = destination_of(settings)
    with reading(settings) as connection:
        error = None
        try:
            destination.begin(dry_run=True)
        except PublishError as failure:
            error = str(failure)
        return {
            "store": masked(str(settings.store_address)),
            "store_bytes": size_of(connection),
            **statistics.counts(connection),
            "daemon": _daemon(settings),
            "machines": [
                {
                    "machine": found.name,
                    "roles": list(found.roles),
                    "since": time_text(found.joined_at),
                    "seen": time_text(found.seen_at),
                    "is_alive": found.is_alive,
                    "publishes_in": found.place,
                    "version": found.version,
                    "jobs_done": found.done,
                    "hosts": list(found.hosts),
                }
                for found in machines.machines(connection)
            ],
            "jobs_waiting": machines.waiting_jobs(connection),
            "origins": _origins(settings, connection),
            "hubs": [
                {"hub": masked(hub), "waiting": count, "failures_in_a_row": row, "error": error}
                for hub, count, row, error in hub_queue.waiting(connection)
            ],
            "rules": _rules(settings, connection),
            "feeds_error": error,
            "sources": _sources_by_day(settings, connection),
            "feeds": [
                {
                    "file": state.files[0].path,
                    "title": state.title,
                    "entries": state.entries,
                    "updated": time_text(state.updated),
                    "files": [file.path for file in state.files],
                    "bytes": state.files[0].size,
                    "on_disk": None
                    if error is not None
                    else all(destination.exists(file.path) for file in state.files),
                }
                for _, state in sorted(published.feed_states(connection).items())
                if state.files
            ],
        }


def _rules(settings: Settings, connection: Connection) -> list[Values]:
    """Return what each content rule has done, in the order of the configuration."""
    sanitizing = Publication.of(settings).sanitizing
    texts = renditions.changed_texts(connection, sanitizing) if settings.rules else {}
    excluded = statistics.excluded_articles(connection) if settings.rules else {}
    return [
        {
            "rule": number,
            "texts_changed": texts.get(number, 0),
            "articles_excluded": excluded.get(number, 0),
        }
        for number in range(1, len(settings.rules) + 1)
    ]


def problems(settings: Settings) -> list[Values]:
    """Return the open problems: file or URL, line, reason, and since when."""
    folders = {posts.name: posts.path for posts in settings.posts}
    with reading(settings) as connection:
        return [
            {
                "file": f"{folders[origin]}/{problem.location}"
                if origin in folders
                else masked(problem.location),
                "origin": origin,
                "line": problem.line,
                "reason": problem.reason,
                "since": time_text(since),
            }
            for origin, problem, since in open_problems(connection)
        ]


def sources(settings: Settings) -> list[Values]:
    """Return every source: name, number of articles, feed."""
    publication = Publication.of(settings)
    with reading(settings) as connection:
        found = []
        for name, count, newest in _named_sources(publication, connection):
            spec = publication.source_spec(name.key)
            found.append(
                {
                    "source": name.key,
                    "slug": name.slug,
                    "name": name.name,
                    "articles": count,
                    "newest": time_text(newest),
                    "feed": next(iter(publication.feed_paths(spec).values())),
                    "url": next(iter(publication.feed_urls(spec).values())),
                }
            )
        return found


def _origins(settings: Settings, connection: Connection) -> list[Values]:
    """Return every configured origin: when it was polled, and the state of its URLs."""
    polls, totals = origins.polls(connection), urls.totals(connection)
    others = {posts.name: count_others(settings.base, posts) for posts in settings.posts}
    found = []
    for name in settings.origin_names:
        total = totals.get(name)
        found.append(
            {
                "origin": masked(name),
                "polled_at": time_text(polls.get(name)),
                "others": others.get(name, 0),
                "drafts": statistics.drafts(connection, name) if name in others else 0,
                "urls": total.urls if total else 0,
                "last_success": time_text(total.answered_at) if total else None,
                "failing": total.failing if total else 0,
                "failures_in_a_row": total.failures if total else 0,
                "error": masked(total.error) if total and total.error else None,
                "next_at": time_text(total.next_at) if total else None,
            }
        )
    return found


def _sources_by_day(settings: Settings, connection: Connection) -> list[Values]:
    """Return each source with its number of articles on each of the last days, today last."""
    now = datetime.datetime.now(ZoneInfo(settings.site.timezone))
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - datetime.timedelta(days=DAYS - 1)
    daily = statistics.daily_counts(connection, since, DAYS)
    return [
        {
            "source": name.key,
            "name": name.name,
            "articles": count,
            "newest": time_text(newest),
            "days": daily.get(name.key, [0] * DAYS),
        }
        for name, count, newest in _named_sources(Publication.of(settings), connection)
    ]


def _named_sources(
    publication: Publication, connection: Connection
) -> Iterator[tuple[SourceName, int, datetime.datetime]]:
    """Return each source, its number of articles, and when the newest was published."""
    manifest = published.feed_states(connection)
    for key, count, newest in statistics.articles_by_source(connection):
        state = manifest.get(publication.source_spec(key).key)
        yield publication.source_name(key, state.title if state else None), count, newest


def _daemon(settings: Settings) -> Values | None:
    """Return the state that a running daemon has written, None if none is running."""
    path = paths.daemon_state_path(settings)
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MAX_STATE))
        os.kill(int(found["pid"]), 0)
    except PermissionError:
        pass  # it runs as another user
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {
        "pid": found["pid"],
        "since": time_text(datetime.datetime.fromtimestamp(found["started"], datetime.UTC)),
        # One of an older version that still runs has another name for them.
        "failures": found.get("failures", []),
        "config_error": found["config_error"],
    }


@contextlib.contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """Open the store for reading only."""
    with opened(settings) as store, store.transaction() as connection:
        yield connection


def opened(settings: Settings) -> Store:
    """Return the store, opened for reading only.  Raises `StoreError` if there is none yet."""
    address = settings.store_address
    if isinstance(address, Path) and not address.is_file():
        raise StoreError(f"{address}: no store yet; run aggregator build-feeds first")
    return Store(address, dry_run=True)


def time_text(moment: datetime.datetime | None) -> str | None:
    """Return a time in UTC as RFC 3339 has it, None for none."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
