"""The jobs that concern all hosts: each is a step that the embedded daemon does as well."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from aggregator.config.schema import Settings
from aggregator.model.errors import AggregatorError, FeedListsChangedError
from aggregator.pipeline import host_polling, polling
from aggregator.poll.due_hosts import Place
from aggregator.workers.jobs import BEGIN_POLL, BUILD, FIND_DUE, NOTIFY_HUBS, Step


class Steps:
    """Does these jobs, and records whether they failed."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        build: Callable[[], concurrent.futures.Future[None]],
        defer_hosts: Callable[[Mapping[str, Sequence[Place]]], Awaitable[None]],
        reload: Callable[[], None],
        record_failures: Callable[[str, list[str]], object],
    ) -> None:
        """`reload` has the configuration loaded again: another machine has received a list."""
        self._settings, self._build, self._defer_hosts = settings, build, defer_hosts
        self._reload, self._record_failures = reload, record_failures
        self._canceller = polling.Canceller()

    def all(self) -> dict[str, Step]:
        """Return the steps by the names of their jobs."""
        steps: dict[str, Step] = {
            FIND_DUE: self._find_due,
            BEGIN_POLL: self._begin_poll,
            BUILD: self._build_feeds,
            NOTIFY_HUBS: self._notify_hubs,
        }
        return {name: partial(self._recorded, name, step) for name, step in steps.items()}

    def cancel(self) -> None:
        """End the notifications that are under way."""
        self._canceller.cancel()

    async def _recorded(self, name: str, step: Step) -> None:
        try:
            await step()
        except FeedListsChangedError:
            self._reload()
        except AggregatorError as error:
            self._record_failures(f"job {name}", [str(error)])
            raise
        else:
            self._record_failures(f"job {name}", [])

    async def _find_due(self) -> None:
        found, failures = await asyncio.to_thread(host_polling.hosts_with_work, self._settings())
        self._record_failures("origins", failures)
        await self._defer_hosts(found)

    async def _begin_poll(self) -> None:
        await asyncio.to_thread(host_polling.begin_poll, self._settings())

    async def _build_feeds(self) -> None:
        await asyncio.wrap_future(self._build())

    async def _notify_hubs(self) -> None:
        if self._settings().feeds.hubs:
            self._canceller = polling.Canceller()
            _, failures, _ = await asyncio.to_thread(
                polling.notify_hubs, self._settings(), host_polling.LOCK_WAIT, self._canceller
            )
            self._record_failures("hubs", failures)
