"""The store opened, and what happens when it cannot be read.

The store is the only memory of what has left the posts folder.  It is given up only after
`PRAGMA quick_check` has called it damaged twice, and then everything that can be read of it
is taken over.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import os
import stat
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
from aggregator.model.errors import DamagedStoreError, StoreError
from aggregator.model.terminal import counted
from aggregator.publish.publication import ARCHIVES, FOLDERS, Publication
from aggregator.store import problems, repair, salvage
from aggregator.store.articles import articles_of, count_articles, remember
from aggregator.store.database import Store

MAX_FEED_BYTES = 100_000_000
ATTEMPTS = 3
Result = TypeVar("Result")


@contextlib.contextmanager
def open_store(settings: Settings, *, dry_run: bool = False) -> Iterator[Store]:
    """The store, made anew if there is none.

    A new one learns the dates of what is published already from the feeds on disk, so
    that losing a store moves no entry.
    """
    fill = _fill(settings)
    path = settings.store_path
    with Store(path, dry_run=dry_run, fill=fill) as store:
        with store.transaction() as connection:
            gone = [
                name
                for name in problems.losses(connection)
                if _is_aside(path, name) and not path.with_name(name).exists()
            ]
            problems.forget_losses(connection, gone)
        yield store


def _is_aside(path: Path, name: str) -> bool:
    """Whether this is the name of a damaged store that was kept."""
    return name.startswith(f"{path.name}.damaged-")


def recovering(
    settings: Settings,
    notices: list[str],
    losses: list[str],
    work: Callable[[], Result],
    lock: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
) -> Result:
    """What `work` returns, which is done again once a store that could not be read is sound.

    `lock` is that of the store, where the caller does not hold it.  `notices` tell of what
    was set right, `losses` of what could not be.
    """
    repaired = False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            result = work()
            break
        except DamagedStoreError as error:
            if attempt == ATTEMPTS:
                raise
            reason = str(error).removeprefix(f"{settings.store_path}: ")
        # What was being read is still held by the failure, and would keep the store locked.
        gc.collect()
        with lock():
            repaired |= _recover(settings, reason, notices, losses)
    if repaired:
        losses += _lasting_losses(settings.store_path)
    return result


def _recover(settings: Settings, reason: str, notices: list[str], losses: list[str]) -> bool:
    """Have the store sound again; return whether single values were given up."""
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
            # Of a record that was given up, id and dates are known from what is published.
            _fill(settings)(connection)
    if count:
        verb = "was" if count == 1 else "were"
        notices.append(f"{path}: {reason}; {counted(count, 'value')} {verb} given up")
    else:
        notices.append(f"{path}: {reason}; the store is sound, and could be read the next time")
    return bool(count)


def _lasting_losses(path: Path) -> list[str]:
    """What of the values that were given up could not be read again."""
    with Store(path) as store, store.transaction() as connection:
        codes = [code for code in problems.losses(connection) if not _is_aside(path, code)]
    if not codes:
        return []
    some = ", ".join(codes[:3]) + (", …" if len(codes) > 3 else "")
    return [
        f"{path}: damaged in {counted(len(codes), 'article')} ({some}): see aggregator problems"
    ]


def _salvage(settings: Settings, reason: str) -> str:
    """Put what can be read of a damaged store into its place; return what to tell the user."""
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
            fill(connection)
        # A run that is killed before it could tell leaves word.
        told = f"the store was damaged ({reason}); delete this file when it is of no more use"
        problems.note_losses(connection, [Problem(aside.name, told)], now)
    salvage.replace(path, target, aside)
    _forget_journals(target)
    tables = f"; not all of {', '.join(lost)} could be" if lost else ""
    return (
        f"{path}: damaged: {reason}; {articles:,} articles were saved from it{tables}. "
        f"The damaged file is kept as {aside.name}"
    )


def _forget_journals(store: Path) -> None:
    for ending in salvage.JOURNALS:
        store.with_name(store.name + ending).unlink(missing_ok=True)


def _fill(settings: Settings) -> Callable[[Connection], None]:
    return partial(remember_published, Publication.of(settings), settings.feeds_directory)


def _unused(path: Path) -> Path:
    number = 0
    found = path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def remember_published(publication: Publication, directory: Path, connection: Connection) -> None:
    """Fill the ledger with the ids and dates of published entries that it does not know.

    Raises `StoreError` if a published feed cannot be read: without it, what is published
    could not be kept.
    """
    from aggregator.publish.read_back import dated_entries

    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    found: dict[str, Article] = {}
    for path, data in _published_files(directory):
        for entry in dated_entries(data, path.suffix):
            code = code_of_entry_id(publication.tag, entry.id)
            if code is None:
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
            )
    for code in articles_of(connection, found):
        del found[code]
    remember(connection, found.values())


def _published_texts(settings: Settings, codes: Collection[str]) -> Mapping[str, str]:
    """The HTML that is published of some articles; of a text in several files the first."""
    from aggregator.publish.read_back import entry_texts

    found: dict[str, str] = {}
    for path, data in _published_files(settings.feeds_directory):
        for identifier, html in entry_texts(data, path.suffix):
            code = code_of_entry_id(settings.site.tag, identifier)
            if code is not None and code in codes:
                found.setdefault(code, html)
    return found


def _published_files(directory: Path) -> Iterator[tuple[Path, bytes]]:
    """Feeds of every format, and then archives, the newest first, with their bytes."""
    from aggregator.publish.read_back import ENDINGS

    places = ("all.*", *(f"{folder}/*" for folder in FOLDERS.values()))
    for pattern in (*places, *(ARCHIVES + place for place in places)):
        for path in sorted(directory.glob(pattern), key=_newest_first):
            if path.suffix not in ENDINGS:
                continue
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                with open(descriptor, "rb") as file:
                    if stat.S_ISREG(os.fstat(descriptor).st_mode):
                        yield path, file.read(MAX_FEED_BYTES)
            except IsADirectoryError:
                continue  # nothing of ours
            except OSError as error:
                raise StoreError(
                    f"{path}: cannot be read: {error.strerror}. A new store learns from it what "
                    "is published: mend the file, or remove it"
                ) from error


def _newest_first(path: Path) -> tuple[str, int]:
    """Archive documents of one feed by their numbers, the last one first."""
    stem, _, number = path.stem.rpartition(".")
    return (stem, -int(number)) if number.isdecimal() else (path.stem, 0)
