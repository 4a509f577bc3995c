"""Paths of the files beside the store: locks, and the state of the daemon."""

from __future__ import annotations

from pathlib import Path

from aggregator.config.schema import Settings


def lock_path(settings: Settings) -> Path:
    """The lock file of the store."""
    return settings.store_path.with_name(settings.store_path.name + ".lock")


def daemon_lock_path(settings: Settings) -> Path:
    """The lock file of the one daemon that a store has."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon.lock")


def daemon_state_path(settings: Settings) -> Path:
    """Where a daemon says how it does."""
    return settings.store_path.with_name(settings.store_path.name + ".daemon")
