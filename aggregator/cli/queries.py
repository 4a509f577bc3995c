"""What `status`, `problems`, `sources` and `show` report, as plain values: times are RFC 3339."""

from __future__ import annotations

import contextlib
import datetime
import difflib
import json
import os
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from aggregator.articles.identity import normal_code
from aggregator.articles.sanitize import plain_text, sanitize
from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.articles import Article, Revision
from aggregator.model.errors import AggregatorError, StoreError, masked
from aggregator.model.feeds import SourceName
from aggregator.model.polls import UrlState
from aggregator.origins.posts.listing import count_others
from aggregator.publish.publication import Publication
from aggregator.store import (
    archive_places,
    hub_queue,
    origins,
    published,
    selected,
    statistics,
    urls,
)
from aggregator.store.articles import articles_of, revisions_of
from aggregator.store.copies import copies_of
from aggregator.store.database import Store
from aggregator.store.problems import open_problems
from aggregator.store.windows import window_of

MAX_STATE = 1_000_000
DAYS = 14
Values = dict[str, Any]


def status(settings: Settings) -> Values:
    """Return totals, the daemon, origins, hubs, sources and feeds."""
    directory = settings.feeds_directory
    with _reading(settings) as connection:
        return {
            "store": str(settings.store_path),
            "store_bytes": settings.store_path.stat().st_size,
            **statistics.counts(connection),
            "daemon": _daemon(settings),
            "origins": _origins(settings, connection),
            "hubs": [
                {"hub": masked(hub), "waiting": count, "failures_in_a_row": row, "error": error}
                for hub, count, row, error in hub_queue.waiting(connection)
            ],
            "sources": _sources_by_day(settings, connection),
            "feeds": [
                {
                    "file": state.files[0].path,
                    "title": state.title,
                    "entries": state.entries,
                    "updated": _text(state.updated),
                    "files": [file.path for file in state.files],
                    "bytes": state.files[0].size,
                    "on_disk": all((directory / file.path).is_file() for file in state.files),
                }
                for _, state in sorted(published.feed_states(connection).items())
                if state.files
            ],
        }


def problems(settings: Settings) -> list[Values]:
    """Return the open problems: file or URL, line, reason, and since when."""
    folders = {posts.name: posts.path for posts in settings.posts}
    with _reading(settings) as connection:
        return [
            {
                "file": f"{folders[origin]}/{problem.location}"
                if origin in folders
                else masked(problem.location),
                "origin": origin,
                "line": problem.line,
                "reason": problem.reason,
                "since": _text(since),
            }
            for origin, problem, since in open_problems(connection)
        ]


def sources(settings: Settings) -> list[Values]:
    """Return every source: name, number of articles, feed."""
    publication = Publication.of(settings)
    with _reading(settings) as connection:
        found = []
        for name, count, newest in _named_sources(publication, connection):
            spec = publication.source_spec(name.key)
            found.append(
                {
                    "source": name.key,
                    "slug": name.slug,
                    "name": name.name,
                    "articles": count,
                    "newest": _text(newest),
                    "feed": next(iter(publication.feed_paths(spec).values())),
                    "url": next(iter(publication.feed_urls(spec).values())),
                }
            )
        return found


def show(settings: Settings, code: str) -> Values:
    """Return all that is known of one article.

    Raises `AggregatorError` if there is no such article.
    """
    wanted = normal_code(code) or code
    publication = Publication.of(settings)
    with _reading(settings) as connection:
        article = articles_of(connection, [wanted]).get(wanted)
        if article is None:
            raise AggregatorError(f"no article {code}; `aggregator problems` may say why")
        revisions = revisions_of(connection, article)
        now = datetime.datetime.now(datetime.UTC)
        keys = selected.feeds_of(connection, [wanted]).get(wanted, set())
        others = [publication.spec_of(key) for key in sorted(keys)]
        others += [publication.source_spec(article.source)] if article.source else []
        specs = [*others, publication.combined_spec()]
        feeds = [
            next(iter(publication.feed_paths(spec).values()))
            for spec in specs
            if spec is not None
            and any(shown.code == wanted for shown in window_of(connection, spec, now))
        ]
        archived = [
            publication.archive_path(spec, number)
            for feed, number in archive_places.documents_of(connection, wanted)
            if (spec := publication.spec_of(feed)) is not None
        ]
        copies = copies_of(connection, [wanted])
        pages = urls.of_pages(connection, {copy.share_url for copy in copies if copy.share_url})
    return {
        "code": article.code,
        "title": article.title,
        "source": article.source,
        "first_seen": _text(article.first_seen),
        "published": _text(article.published),
        "updated": _text(article.updated or article.published),
        "link": article.link,
        "share_url": article.share_url,
        "scheduled": article.published > now,
        "removed": article.removed,
        "feeds": feeds,
        "archives": archived,
        "copies": [
            {
                "origin": copy.origin,
                "location": copy.location,
                "title": copy.title,
                "share_url": copy.share_url,
                "changed": _text(copy.changed),
            }
            for copy in sorted(copies, key=lambda copy: (copy.origin, copy.location))
        ],
        "pages": [_page(state) for _, state in pages],
        "revisions": _history(article, revisions, publication.base(article)),
    }


def _origins(settings: Settings, connection: Connection) -> list[Values]:
    """Return every configured origin: when it was polled, and the state of its URLs."""
    polls, totals = origins.polls(connection), urls.totals(connection)
    others = {posts.name: count_others(settings.base, posts) for posts in settings.posts}
    found = []
    for name in settings.origin_names:
        total = totals.get(name)
        found.append(
            {
                "origin": name,
                "polled_at": _text(polls.get(name)),
                "others": others.get(name, 0),
                "drafts": statistics.drafts(connection, name) if name in others else 0,
                "urls": total.urls if total else 0,
                "last_success": _text(total.answered_at) if total else None,
                "failing": total.failing if total else 0,
                "failures_in_a_row": total.failures if total else 0,
                "error": masked(total.error) if total and total.error else None,
                "next_at": _text(total.next_at) if total else None,
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
            "newest": _text(newest),
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
        "since": _text(datetime.datetime.fromtimestamp(found["started"], datetime.UTC)),
        # One of an older version that still runs has another name for them.
        "failures": found.get("failures", []),
        "config_error": found["config_error"],
    }


def _page(state: UrlState) -> Values:
    return {
        "url": masked(state.url),
        "last_success": _text(state.answered_at),
        "failures_in_a_row": state.failures,
        "error": state.error,
        "gone": state.is_gone,
        "next_at": _text(state.next_at),
    }


def _history(article: Article, revisions: list[Revision], base: str) -> list[Values]:
    """Return the revisions, oldest first, each with the lines that it changed."""
    found: list[Values] = []
    before: list[str] = []
    for revision in revisions:
        html = sanitize(revision.text, revision.media_type, base)
        lines = [revision.title]
        for paragraph in html.replace("</p>", "</p>\n").splitlines():
            words = plain_text(paragraph)
            if words:
                lines.append(words)
        changes = [
            line
            for line in difflib.unified_diff(before, lines, lineterm="", n=0)
            if not line.startswith(("---", "+++", "@@"))
        ]
        found.append(
            {
                "number": revision.number,
                "seen_at": _text(revision.seen_at),
                "title": revision.title,
                "characters": len("".join(lines[1:])),
                "changes": changes if before else [],
            }
        )
        before = lines
    return found


@contextlib.contextmanager
def _reading(settings: Settings) -> Iterator[Connection]:
    """Open the store for reading only."""
    if not settings.store_path.is_file():
        raise StoreError(f"{settings.store_path}: no store yet; run aggregator build-feeds first")
    with Store(settings.store_path, dry_run=True) as store, store.transaction() as connection:
        yield connection


def _text(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
