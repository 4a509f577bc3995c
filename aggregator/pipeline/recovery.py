"""Open the store, and repair or replace one that cannot be read.

Only the store has the articles that have left the posts folder.  It is replaced only after
`PRAGMA quick_check` has found it damaged twice, and by one with everything that can be read
of it.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from aggregator.articles.identity import code_of_entry_id
from aggregator.config.schema import Settings
from aggregator.model.articles import Article, Problem
from aggregator.model.errors import DamagedStoreError, PublishError, StoreError
from aggregator.model.terminal import counted
from aggregator.pipeline import shared_lists
from aggregator.publish.destination import Destination, destination_of
from aggregator.publish.publication import ARCHIVES, FOLDERS, Publication
from aggregator.store import problems, repair, salvage, similar
from aggregator.store.articles import articles_of, count_articles, remember
from aggregator.store.database import Store

MAX_FEED_BYTES = 100_000_000
ATTEMPTS = 3
Result = TypeVar("Result")


@contextlib.contextmanager
def open_store(settings: Settings, *, dry_run: bool = False) -> Iterator[Store]:
    """Open the store; create it if there is none.

    A new one takes the dates of published entries from the feeds on disk, so that losing a
    store changes the date of no entry.  Raises `FeedListsChangedError` if the settings' lists of
    feeds are not those of the store: this machine has those now.
    """
    path = settings.store_path
    with Store(settings.store_address, dry_run=dry_run, fill=_fill(settings)) as store:
        with store.transaction() as connection:
            deleted = [
                name
                for name in problems.losses(connection)
                if _is_damaged_copy(path, name) and not path.with_name(name).exists()
            ]
            problems.forget_losses(connection, deleted)
            if isinstance(settings.store_address, str) and not dry_run:
                shared_lists.share(settings, connection)
        yield store


def _is_damaged_copy(path: Path, name: str) -> bool:
    """Return whether this is the name of a damaged store that was kept."""
    return name.startswith(f"{path.name}.damaged-")


def recovering(
    settings: Settings,
    work: Callable[[list[str], list[str]], Result],
    lock: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
) -> Result:
    """Do `work`, and again after repairing the store if it cannot be read; return its result.

    `work` gets two lists for its result, which grow: notices of what was repaired, and what
    was lost.  `lock` is the store's, where the caller does not hold it.
    """
    notices: list[str] = []
    losses: list[str] = []
    repaired = False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            result = work(notices, losses)
            break
        except DamagedStoreError as error:
            if attempt == ATTEMPTS or isinstance(settings.store_address, str):
                raise
            reason = str(error).removeprefix(f"{settings.store_path}: ")
        # The exception still holds cursors, which would keep the database locked.
        gc.collect()
        with lock():
            repaired |= _recover(settings, reason, notices, losses)
    if repaired:
        losses += _lasting_losses(settings.store_path)
    return result


def _recover(settings: Settings, reason: str, notices: list[str], losses: list[str]) -> bool:
    """Repair or replace the store; return whether single values were dropped."""
    path = settings.store_path
    # A read error may have hit the check itself.
    if salvage.complaint(path) is not None and (found := salvage.complaint(path)) is not None:
        losses.append(_salvage(settings, found))
        return False
    with Store(path) as store, store.transaction() as connection:
        count = repair.repair(
            connection, partial(_published_texts, settings), datetime.datetime.now(datetime.UTC)
        )
        if count:
            # The published feeds have the id and the dates of a record that was dropped.
            _fill(settings)(connection)
    if count:
        verb = "was" if count == 1 else "were"
        notices.append(f"{path}: {reason}; {counted(count, 'unreadable value')} {verb} dropped")
    else:
        notices.append(f"{path}: {reason}; the store is sound; a second attempt succeeded")
    return bool(count)


def _lasting_losses(path: Path) -> list[str]:
    """Return a failure if dropped values could not be read again from the posts."""
    with Store(path) as store, store.transaction() as connection:
        codes = [code for code in problems.losses(connection) if not _is_damaged_copy(path, code)]
    if not codes:
        return []
    some = ", ".join(codes[:3]) + (", …" if len(codes) > 3 else "")
    return [
        f"{path}: damaged in {counted(len(codes), 'article')} ({some}): see aggregator problems"
    ]


def _salvage(settings: Settings, reason: str) -> str:
    """Replace a damaged store by what can be read of it; return a message for the user."""
    path = settings.store_path
    target = path.with_name(path.name + ".salvaged")
    aside = _unused(path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}"))
    target.unlink(missing_ok=True)
    _forget_journals(target)
    lost = salvage.salvage(path, target)
    now = datetime.datetime.now(datetime.UTC)
    fill = _fill(settings)
    with Store(target, fill=fill) as store, store.transaction() as connection:
        articles = count_articles(connection)
        if not store.is_new:
            repair.repair(connection, partial(_published_texts, settings), now)
            repair.read_everything_again(connection)
            if {"archive", "place", "archiving", "unplaced"}.intersection(lost):
                repair.forget_archives(connection)
            if {"selection", "selected"}.intersection(lost):
                repair.forget_selections(connection)
            if {"sketch", "sample", "comparing"}.intersection(lost):
                similar.forget_sketches(connection)
            fill(connection)
        # For the case that this run is killed before it shows its message.
        problem = f"the store was damaged ({reason}); delete this file when you no longer need it"
        problems.note_losses(connection, [Problem(aside.name, problem)], now)
    salvage.replace(path, target, aside)
    _forget_journals(target)
    verb = "was" if articles == 1 else "were"
    tables = f"; not all of {', '.join(lost)} could be" if lost else ""
    return (
        f"{path}: damaged: {reason}; {counted(articles, 'article')} {verb} saved from it{tables}. "
        f"The damaged file is kept as {aside.name}"
    )


def _forget_journals(store: Path) -> None:
    for suffix in salvage.JOURNALS:
        store.with_name(store.name + suffix).unlink(missing_ok=True)


def _fill(settings: Settings) -> Callable[[Connection], None]:
    return partial(remember_published, Publication.of(settings), destination_of(settings))


def _unused(path: Path) -> Path:
    """Return the path, with a number if there is such a file already."""
    number = 0
    found = path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def remember_published(
    publication: Publication, destination: Destination, connection: Connection
) -> None:
    """Add the ids and dates of published entries that the store does not have.

    Raises `StoreError` if a published feed cannot be read: its entries would get new dates.
    """
    from aggregator.publish.read_back import published_entries

    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    found: dict[str, Article] = {}
    for extension, data in _published_files(destination):
        for entry in published_entries(data, extension):
            code = code_of_entry_id(publication.site.tag, entry.id)
            if code is None or entry.published is None or entry.updated is None:
                continue
            updated = entry.updated if entry.updated != entry.published else None
            known = found.get(code)
            if known is not None and (known.updated or known.published) >= entry.updated:
                continue
            found[code] = Article(
                code=code,
                source="",
                source_name=None,
                first_seen=now,
                published=entry.published,
                updated=updated,
                revision=0,
                version=0,
                page_month=publication.month_in(entry.url),
            )
    for code in articles_of(connection, found):
        del found[code]
    remember(connection, found.values())


def _published_texts(settings: Settings, codes: Collection[str]) -> Mapping[str, str]:
    """Return the published HTML of the given articles by code; if there are several, the first."""
    from aggregator.publish.read_back import published_entries

    found: dict[str, str] = {}
    for extension, data in _published_files(destination_of(settings)):
        for entry in published_entries(data, extension):
            code = code_of_entry_id(settings.site.tag, entry.id)
            if code is not None and code in codes and entry.html.strip():
                found.setdefault(code, entry.html)
    return found


def _published_files(destination: Destination) -> Iterator[tuple[str, bytes]]:
    """Return feeds and then archives, the newest first: the extension of each, and its bytes."""
    from aggregator.publish.read_back import EXTENSIONS

    places = ("all.*", *(f"{folder}/*" for folder in FOLDERS.values()))
    try:
        for pattern in (*places, *(ARCHIVES + place for place in places)):
            found = [Path(name) for name in destination.find(pattern)]
            ours = [path for path in found if path.suffix in EXTENSIONS]
            ours.sort(key=_newest_first)
            data = destination.read_all([path.as_posix() for path in ours], MAX_FEED_BYTES)
            for path, content in zip(ours, data, strict=True):
                yield path.suffix, content or b""
    except PublishError as error:
        raise StoreError(
            f"{error}. A new store takes the dates of published entries from there: make it "
            "readable, or remove what cannot be read"
        ) from error


def _newest_first(path: Path) -> tuple[str, int]:
    """Return the key that sorts the archive documents of a feed by number, the last first."""
    stem, _, number = path.stem.rpartition(".")
    return (stem, -int(number)) if number.isdecimal() else (path.stem, 0)
