"""Lists of feeds at URLs: machines with one store in a database have the same subscriptions.

The configuration is read with the copies of the lists beside each machine's store, so that it
needs no database.  The store has them, too: whoever opens it brings its copies up to date.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from aggregator.config import opml
from aggregator.config.load import load_settings
from aggregator.config.schema import Settings
from aggregator.model.atomic import replace_file
from aggregator.model.errors import FeedListsChangedError, StoreError
from aggregator.pipeline import agreed
from aggregator.store.shared import feed_lists, save_feed_lists

Result = TypeVar("Result")


def with_settings(config: Path, work: Callable[[Settings], Result]) -> Result:
    """Do `work` with the settings, and with new ones if another machine has changed a list.

    Raises `ConfigError` if machines with another configuration work on the store.
    """
    settings = load_settings(config)
    agreed.check(settings)
    try:
        return work(settings)
    except FeedListsChangedError:
        return work(load_settings(config))


def share(settings: Settings, connection: Connection) -> None:
    """Replace this machine's copies of lists by newer ones of the store.

    Raises `FeedListsChangedError` if there were some.  Where the store has none, it gets this
    machine's.
    """
    paths = {
        section.url: opml.kept_list(settings.store_path, section.url)
        for section in settings.feed_lists
    }
    stored = feed_lists(connection, paths)
    ours = {
        url: path.read_bytes()
        for url, path in paths.items()
        if url not in stored and opml.kept_feeds(path)
    }
    save_feed_lists(connection, ours)
    has_new = False
    for url, data in stored.items():
        path = paths[url]
        before = opml.kept_feeds(path)
        try:
            if not path.exists() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, data)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
        has_new |= opml.kept_feeds(path) != before
    if has_new:
        raise FeedListsChangedError(
            "another machine has received a list of feeds; run it again with its subscriptions"
        )
