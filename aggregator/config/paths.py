"""Paths of the files beside the store: locks, and the status of the daemon."""

from __future__ import annotations

from pathlib import Path

from aggregator.config.schema import Settings


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
    """Return the path of the daemon's status file."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon")
