"""Whether a store is damaged, and a copy of every row that can still be read."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from aggregator.model.errors import StoreError
from aggregator.store.migrations import VERSION, version_of
from aggregator.store.schema import metadata
from aggregator.store.sqlite import may_be_damage

_PIECE = 1_000_000
# Higher than the number of any row.
_LAST_ROWID = 2**62
EVERYTHING = "everything"
JOURNALS = ("-journal", "-wal", "-shm")


def complaint(path: Path) -> str | None:
    """Return what `PRAGMA quick_check` reports on a fresh connection, None if the store is sound.

    Raises `StoreError` if the file cannot be read at all, which says nothing about the store.
    """
    try:
        with path.open("rb", buffering=0) as file:
            while file.read(_PIECE):
                pass
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read: {error.strerror}; nothing was changed. If it stays so, "
            "copy the file to a sound disk"
        ) from error
    try:
        with contextlib.closing(_connected(path)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            return None if found == ("ok",) else " ".join(str(found[0]).split())
    except sqlite3.DatabaseError as error:
        if may_be_damage(error):
            return str(error)
        raise StoreError(f"{path}: {error}") from error


def salvage(damaged: Path, target: Path) -> list[str]:
    """Copy what can be read of a damaged store into a new file; return the tables with losses.

    The new store has the tables of the damaged one; if these cannot be read, it stays empty,
    and `EVERYTHING` is lost.
    """
    with (
        contextlib.closing(_connected(damaged)) as old,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as new,
    ):
        try:
            shape = old.execute(
                "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL "
                "AND type IN ('table', 'index') "
                "AND name GLOB '[a-z]*' AND name NOT GLOB '*[^a-z_]*' "
                "AND name NOT GLOB 'sqlite_*' ORDER BY type = 'index'"
            ).fetchall()
        except sqlite3.DatabaseError:
            return [EVERYTHING]
        tables = {name: sql for name, kind, sql in shape if kind == "table"}
        if "migration" not in tables:
            return [EVERYTHING]
        _write(new, "BEGIN")
        lost = []
        for name, kind, sql in shape:
            _write(new, sql)
            if kind == "table" and not _copy(old, new, name, sql):
                lost.append(name)
        if "migration" in lost:
            version = version_of(tables)
            if version == VERSION and not tables.keys() >= metadata.tables.keys():
                _write(new, "ROLLBACK")
                return [EVERYTHING]
            for number in range(1, version + 1):
                _write(new, "INSERT OR IGNORE INTO migration VALUES (?, 0)", (number,))
        _write(new, "COMMIT")
        return lost


def replace(damaged: Path, target: Path, aside: Path) -> None:
    """Replace the damaged store by the salvaged one, and keep it as `aside`.

    There is a store in place at every moment.  Raises `StoreError` if that cannot be done.
    """
    try:
        try:
            os.link(damaged, aside)
        except OSError:
            shutil.copy2(damaged, aside)  # a file system without hard links
        for suffix in JOURNALS:
            # A journal left behind would be played back into the new store.
            journal = damaged.with_name(damaged.name + suffix)
            if journal.exists() and not journal.stat().st_size:
                journal.unlink()
            elif journal.exists():
                os.replace(journal, aside.with_name(aside.name + suffix))
        os.replace(target, damaged)
        descriptor = os.open(damaged.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(
            f"{damaged}: damaged, and cannot be replaced by what was salvaged: {error.strerror}"
        ) from error


def _write(new: sqlite3.Connection, statement: str, values: Sequence[object] = ()) -> None:
    """Run a statement on the new store, where an error says nothing about the damaged one.

    A row that breaks a constraint is left out.
    """
    try:
        new.execute(statement, values)
    except sqlite3.IntegrityError:
        return
    except sqlite3.Error as error:
        raise StoreError(f"what can be read of a damaged store cannot be kept: {error}") from error


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=30)
    connection.isolation_level = None
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str, sql: str) -> bool:
    """Copy a table's rows; return False if some could not be read."""
    columns = [row[1] for row in new.execute(f'PRAGMA table_info("{table}")')]
    names = ", ".join(f'"{name}"' for name in columns)
    insert = f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})'
    if "WITHOUT ROWID" in sql.upper():
        return _copy_by_key(old, new, table, names, insert)
    return _copy_by_number(old, new, table, names, insert)


def _copy_by_number(
    old: sqlite3.Connection, new: sqlite3.Connection, table: str, names: str, insert: str
) -> bool:
    is_whole = True
    after = -1
    while True:
        begun = after
        try:
            rows = old.execute(
                f'SELECT rowid, {names} FROM "{table}" WHERE rowid > ? ORDER BY rowid', (after,)
            )
            for row in rows:
                _write(new, insert, row[1:])
                # The rows of a misplaced page are not in order.
                after = max(after, row[0])
            return is_whole
        except sqlite3.DatabaseError:
            is_whole = False
        start = _readable_after(old, table, names, after)
        if start is None:
            return False
        # Each round begins after the last one, or it would never end.
        after = max(start - 1, after, begun + 1)


def _readable_after(old: sqlite3.Connection, table: str, names: str, after: int) -> int | None:
    """Return the number of the first readable row after a damaged one, None if there is none."""

    def first(start: int) -> int | None:
        row = old.execute(
            f'SELECT rowid, {names} FROM "{table}" WHERE rowid >= ? ORDER BY rowid LIMIT 1',
            (start,),
        ).fetchone()
        return None if row is None else int(row[0])

    # The damage ends somewhere between `low` and `low + step`.
    low, step = after + 1, 1
    while low + step < _LAST_ROWID:
        with contextlib.suppress(sqlite3.DatabaseError):
            found = first(low + step)
            if found is None and step == 1:
                return None
            high = low + step
            while high - low > 1:
                middle = (low + high) // 2
                try:
                    found, high = first(middle), middle
                except sqlite3.DatabaseError:
                    low = middle
            return found
        step *= 2
    return None


def _copy_by_key(
    old: sqlite3.Connection, new: sqlite3.Connection, table: str, names: str, insert: str
) -> bool:
    """Copy rows from both ends up to where the damage is."""
    is_whole = True
    key = [row[1] for row in new.execute(f'PRAGMA table_info("{table}")') if row[5]]
    for order in ("ASC", "DESC"):
        by = ", ".join(f'"{name}" {order}' for name in key)
        try:
            for row in old.execute(f'SELECT {names} FROM "{table}" ORDER BY {by}'):
                _write(new, insert, row)
            return is_whole
        except sqlite3.DatabaseError:
            is_whole = False
    return False
