"""The store's path, and those of the files beside it; importable without loading the settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aggregator.config.schema import Settings


class DatabaseLock(NamedTuple):
    """A lock in a database, by name: it is held on one machine at a time."""

    url: str
    name: str


# Schemes of object storage: S3 and what speaks like it, Google's, Azure's.
STORAGES = ("s3", "gs", "az")
DEFAULT_STORE = "var/aggregator.db"
ENVIRONMENT_PREFIX = "AGGREGATOR_"


def store_file(base: Path, store: str) -> Path:
    """Return the SQLite file of a store, as `store:` names it, from the folder `base`.

    Of a store in a database, it is the file beside which this machine keeps its own files.
    """
    if is_database(store):
        store = ""
    return base / (store or DEFAULT_STORE).removeprefix("sqlite:///")


def is_database(store: str) -> bool:
    """Return whether `store:` names a database, and no file."""
    return store.startswith(("postgresql://", "postgres://"))


def is_object_storage(directory: str) -> bool:
    """Return whether `feeds: directory:` names a place in object storage, and no folder."""
    return directory.startswith(tuple(f"{scheme}://" for scheme in STORAGES))


def store_lock(settings: Settings) -> Path | DatabaseLock:
    """Return the lock of the store's writer: a file, or a lock in the database."""
    return _lock(settings, "writer", ".lock")


def poll_lock(settings: Settings) -> Path | DatabaseLock:
    """Return the lock that keeps two polls of the upstream apart."""
    return _lock(settings, "poll", ".poll.lock")


def _lock(settings: Settings, name: str, suffix: str) -> Path | DatabaseLock:
    if isinstance(settings.store_address, str):
        return DatabaseLock(settings.store_address, name)
    return settings.store_path.with_name(settings.store_path.name + suffix)


def daemon_lock_path(settings: Settings) -> Path:
    """Return the path of the lock file that the daemon of a store holds."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon.lock")


def daemon_state_path(settings: Settings) -> Path:
    """The file with the state of the daemon, for `aggregator status`."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon")
