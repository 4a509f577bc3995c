"""The folders of the articles' pages, as builds left them: one that changed may lack a page."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from aggregator.build.context import Context
from aggregator.store import pages


def of_paths(paths: Iterable[str]) -> set[str]:
    """Return the folders of files."""
    return {path.rpartition("/")[0] for path in paths}


def save(context: Context, connection: Connection, folders: Iterable[str]) -> None:
    """Save that folders are as they should be."""
    states = {path: context.destination.folder_state(path) for path in folders}
    pages.save_folders(
        connection, {path: state if state is not None else -1 for path, state in states.items()}
    )


def as_left(context: Context, connection: Connection, folders: Iterable[str]) -> list[str]:
    """Return those of the folders that did not change since they were saved."""
    left = pages.folders(connection)
    return [path for path in folders if left.get(path) == context.destination.folder_state(path)]


def check(context: Context) -> None:
    """Find missing pages, so that they are written again.

    Only folders that changed since they were saved are looked at, in a full build all.
    """
    destination = context.destination
    with context.store.transaction() as connection:
        left = pages.folders(connection)
        same = () if context.full else as_left(context, connection, left)
        for path in sorted(left.keys() - set(same)):
            destination.clean(path)
            missing = [
                code
                for code, files in pages.files_in(connection, path).items()
                if not destination.is_as_left(files, full=context.full)
            ]
            pages.decide(connection, {}, missing)
            save(context, connection, [path])
