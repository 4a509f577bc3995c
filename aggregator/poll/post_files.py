"""One poll of posts folders."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence

from aggregator.model.errors import AggregatorError, OriginError, unforeseen
from aggregator.model.logs import LOGGER
from aggregator.model.polls import Batch
from aggregator.model.reports import Progress
from aggregator.model.summaries import PollSummary
from aggregator.origins.interface import Origin
from aggregator.origins.posts.scan import location
from aggregator.poll import batches, ingest
from aggregator.poll.ingest import MergeRules
from aggregator.store import urls
from aggregator.store.copies import copy_locations
from aggregator.store.database import Store
from aggregator.store.origins import (
    file_states,
    file_states_at,
    forget_origin,
    known_origins,
    origin_rules,
    save_origin,
)

FORGET_TOGETHER = 500


def poll(
    store: Store,
    origins: Sequence[Origin],
    rules: MergeRules,
    number: int,
    now: datetime.datetime,
    *,
    read_all: bool = False,
    allow_empty: bool = False,
    named: Mapping[str, Collection[str]] | None = None,
    progress: Progress = lambda done, total: None,
) -> PollSummary:
    """Merge what changed in every origin, batch by batch; return what was done.

    `number` is that of the poll: an interrupted poll is resumed by the next one, with the
    same outcome.  With `named`, only these paths are looked at, by the origin's name.
    """
    summary = PollSummary()
    for origin in origins:
        digest = origin.rules
        with store.transaction() as connection:
            must_read = read_all or origin_rules(connection, origin.name) != digest
        paths = named.get(origin.name, ()) if named is not None and not must_read else None
        if paths is not None and not paths:
            continue
        posts = origin.posts_among(paths) if paths is not None else None
        if paths is not None and posts is not None:
            with store.transaction() as connection:
                known = file_states_at(connection, origin.name, set(map(location, paths)))
            found = origin.poll_files(posts, known, now)
        else:
            found = origin.poll(
                file_states(store.transaction, origin.name),
                now,
                read_all=must_read,
                allow_empty=allow_empty,
                progress=progress,
            )
        try:
            for batch in found:
                summary.count(batches.store(store.transaction, batch, rules, number, now))
                summary.read += len(batch.read)
                summary.gone += len(batch.gone)
                summary.drafts += len(set(batch.withdrawn).difference(batch.gone))
                summary.others += batch.others
        except OriginError as error:
            summary.failures.append(str(error))
            continue
        except AggregatorError:
            raise
        except Exception as error:  # noqa: BLE001  # one origin stops no other
            LOGGER.debug("%s", origin.name, exc_info=True)
            summary.failures.append(f"{origin.name}: cannot be polled ({unforeseen(error)})")
            continue
        with store.transaction() as connection:
            save_origin(connection, origin.name, digest, now)
    return summary


def forget_others(
    store: Store,
    names: Collection[str],
    rules: MergeRules,
    number: int,
    now: datetime.datetime,
) -> None:
    """Delete the copies, problems and states of origins that are not among `names`."""
    with store.transaction() as connection:
        others = [name for name in known_origins(connection) if name not in names]
    for name in others:
        locations = {state.path for state in file_states(store.transaction, name)}
        with store.transaction() as connection:
            locations.update(copy_locations(connection, name))
            locations.update(state.url for _, state in urls.all_states(connection, name))
            urls.forget(connection, name)
        ordered = sorted(locations)
        for start in range(0, len(ordered), FORGET_TOGETHER):
            gone = tuple(ordered[start : start + FORGET_TOGETHER])
            with store.transaction() as connection:
                ingest.apply(connection, Batch(name, gone=gone), rules, number, now)
        with store.transaction() as connection:
            forget_origin(connection, name)
