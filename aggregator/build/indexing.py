"""The search index as a part of a build."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from pathlib import Path

from aggregator.build.context import Context
from aggregator.model.errors import DamagedStoreError, LockedError, StoreError
from aggregator.store import search_update
from aggregator.store.selected import SEARCH, Progress


def update(context: Context, path: Path | None, changed: Collection[str]) -> Mapping[str, Progress]:
    """Index what is new, without opening the index if nothing is.

    Returns the progress to save in the transaction that forgets what changed.  An index that
    cannot be written is a notice: feeds do not need it, and the next build or search makes up
    for it, since it finds no progress for the build after which the index was right.
    """
    # Where nobody has searched yet, there is no index: a first search makes it.
    if path is None or context.dry_run or not path.exists():
        return {}
    with context.store.transaction() as connection:
        if not context.full and not search_update.is_behind(connection, path, changed):
            return {}
    token = secrets.token_bytes(8)
    try:
        upto = search_update.catch_up(context.store, path, token, checks=context.full)
    except DamagedStoreError:
        raise  # the build is repeated
    except (StoreError, LockedError) as error:
        context.summary.notices.append(f"the search index was left as it is: {error}")
        return {SEARCH: Progress(token, 0)}
    return {SEARCH: Progress(token, upto)}
