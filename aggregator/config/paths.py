"""The store's path, and those of the files beside it; importable without loading the settings."""

from __future__ import annotations

import os
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
# The locks of a store, and how their files are called if it is a file.  A poll takes its own first.
LOCKS = {"poll": ".poll.lock", "writer": ".lock"}


def store_file(base: Path, store: str) -> Path:
    """Return the SQLite file of a store, as `store:` names it, from the folder `base`.

    Of a store in a database, it is the file beside which this machine keeps its own files: in the
    folder that systemd has made for them, if there is one (systemd.exec(5), `StateDirectory=`).
    """
    if is_database(store):
        own = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
        return Path(own, Path(DEFAULT_STORE).name) if own else base / DEFAULT_STORE
    return base / (store or DEFAULT_STORE).removeprefix("sqlite:///")


def is_database(store: str) -> bool:
    """Return whether `store:` names a database, and no file."""
    return store.startswith(("postgresql://", "postgres://"))


def is_object_storage(directory: str) -> bool:
    """Return whether `feeds: directory:` names a place in object storage, and no folder."""
    return directory.startswith(tuple(f"{scheme}://" for scheme in STORAGES))


def store_lock(settings: Settings) -> Path | DatabaseLock:
    """Return the lock of the store's writer: a file, or a lock in the database."""
    return lock_of(settings.store_address, "writer")


def poll_lock(settings: Settings) -> Path | DatabaseLock:
    """Return the lock that keeps two polls of the upstream apart."""
    return lock_of(settings.store_address, "poll")


def lock_of(address: Path | str, name: str) -> Path | DatabaseLock:
    """Return the lock called `name` (see `LOCKS`) of the store at an address."""
    if isinstance(address, str):
        return DatabaseLock(address, name)
    return address.with_name(address.name + LOCKS[name])


def daemon_lock_path(settings: Settings) -> Path:
    """Return the path of the lock file that the daemon of a store holds."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon.lock")


def search_path(settings: Settings) -> Path:
    """The search index of this machine."""
    return settings.store_path.with_name(settings.store_path.name + ".search")


def templates_path(settings: Settings) -> Path:
    """The file with the compiled templates of HTML pages."""
    return settings.store_path.with_name(settings.store_path.name + ".templates")


def daemon_state_path(settings: Settings) -> Path:
    """The file with the state of the daemon, for `aggregator status`."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon")
