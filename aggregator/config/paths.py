"""The store's path, and those of the files beside it; importable without loading the settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aggregator.config.schema import Settings

DEFAULT_STORE = "var/aggregator.db"
ENVIRONMENT_PREFIX = "AGGREGATOR_"


def store_file(base: Path, store: str) -> Path:
    """Return the SQLite file of a store, as `store:` names it, from the folder `base`."""
    return base / (store or DEFAULT_STORE).removeprefix("sqlite:///")


def lock_path(settings: Settings) -> Path:
    """Return the path of the lock file of the store."""
    return settings.store_path.with_name(settings.store_path.name + ".lock")


def poll_lock_path(settings: Settings) -> Path:
    """The lock file that keeps two polls of the upstream apart."""
    return settings.store_path.with_name(settings.store_path.name + ".poll.lock")


def daemon_lock_path(settings: Settings) -> Path:
    """Return the path of the lock file that the daemon of a store holds."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon.lock")


def daemon_state_path(settings: Settings) -> Path:
    """The file with the state of the daemon, for `aggregator status`."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon")
