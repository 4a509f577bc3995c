"""Which hosts have URLs that are due, for machines that share the work by host."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from aggregator.fetch import pacing
from aggregator.fetch.session import host_of
from aggregator.model.errors import OriginError
from aggregator.model.polls import Batch
from aggregator.model.summaries import OriginSummary
from aggregator.origins.interface import UpstreamOrigin
from aggregator.poll.origin_poll import ALL_DUE, OriginPoll, is_due
from aggregator.store import urls
from aggregator.store.origins import save_origin

# The name of an origin, and one of its URLs.
Place = tuple[str, str]


class DueHosts(NamedTuple):
    """URLs that are due, by host; batches to store; and the failures of whole origins."""

    hosts: dict[str, list[Place]]
    batches: list[Batch]
    failures: list[str]


def due_hosts(
    connection: Connection, origins: Sequence[UpstreamOrigin], now: datetime.datetime
) -> DueHosts:
    """Return what is due, by the host that it is requested from.

    Origins with a window of URLs begin their poll here, and are saved as polled, since no other
    step does that.
    """
    found: dict[str, list[Place]] = {}
    batches: list[Batch] = []
    failures: list[str] = []
    single = [origin for origin in origins if origin.window is None]
    for place, address in _of_endpoints(connection, single, now):
        found.setdefault(host_of(address), []).append(place)
    for origin in origins:
        if origin.window is not None:
            poll = OriginPoll(origin, OriginSummary(name=origin.name))
            try:
                poll.begin(connection, ALL_DUE, now)
            except OriginError as error:
                failures.append(str(error))  # one origin stops no other
                continue
            for request in poll.requests(now):
                found.setdefault(host_of(request.url), []).append(request.key)
            batch = poll.batch()
            batches += [batch[0]] if batch is not None else []
            save_origin(connection, origin.name, origin.rules, now)
    return DueHosts(found, batches, failures)


def _of_endpoints(
    connection: Connection, origins: Sequence[UpstreamOrigin], now: datetime.datetime
) -> Iterator[tuple[Place, str]]:
    """Yield the due URLs of origins that name all of theirs, each with its address."""
    known = urls.schedules(connection, [origin.name for origin in origins])
    for origin in origins:
        for url in origin.named_urls():
            state = known.get((origin.name, url))
            if not is_due(origin, state, now):
                continue
            address = origin.address(url)
            if address is not None:
                yield (origin.name, url), pacing.request(state, address, now).url
