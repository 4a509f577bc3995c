"""This machine among others that work on the same store."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from aggregator.config import paths
from aggregator.config.schema import Settings
from aggregator.model.errors import FeedListsChangedError, StoreError, masked
from aggregator.model.logs import LOGGER
from aggregator.model.terminal import counted
from aggregator.pipeline import host_polling, polling
from aggregator.poll.due_hosts import Place
from aggregator.poll.host_polls import HostJob
from aggregator.store.lock import shared
from aggregator.store.machines import SILENT_AFTER, Machines
from aggregator.store.psycopg_driver import one_line, this_process
from aggregator.workers import membership
from aggregator.workers.jobs import BUILD, HOSTS, UPSTREAM, Jobs, Step, Work
from aggregator.workers.steps import Steps
from aggregator.workers.upstream_polls import UpstreamPolls

# Seconds between two signs of life, and from a signal to the end of the jobs.
BEAT_EVERY = 5.0
DRAIN_WITHIN = 7.0
# Seconds in which polls end that may send nothing any more.
POLLS_END_WITHIN = 4.0
# Jobs at a time for each request at a time: a host mostly waits between two.
JOBS_PER_REQUEST = 4
# Seconds after which waiting jobs are a failure if this machine starts none.
IDLE_AFTER = 60.0
# Names of hosts that `aggregator status` can show.
MAX_HOSTS = 100


class Cluster:
    """Does the work of a machine's roles, as jobs that all machines share, until `stopping`.

    The daemon runs `serve` and `poll` in threads of their own.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        roles: Collection[str],
        stopping: threading.Event,
        build: Callable[[], concurrent.futures.Future[None]],
        record_poll: Callable[[polling.PollOutcome], None],
        reload: Callable[[], None],
        record_jobs: Callable[[int, int, int], None],
        record_failures: Callable[[str, list[str]], object],
    ) -> None:
        """Prepare.

        `build` requests a build, `record_poll` records what was polled, `reload` has the
        configuration loaded again when a list of feeds has changed, and `record_jobs` records
        how many jobs were done since the last time, wait, and hosts are polled.
        `record_failures` records those of a kind of job, none if it went well.
        """
        self._settings, self.roles, self._stopping = settings, roles, stopping
        self._reload, self._record_jobs = reload, record_jobs
        self._steps = Steps(settings, build, self._defer_due, reload, record_failures)
        self.name = this_process()
        self._url = str(settings().store_address)
        self._queues = [queue for queue in (UPSTREAM, BUILD) if queue in roles]
        self._lease_until = self._beat_at = 0.0
        self._done = self._recorded = 0
        self._began_job, self._running = time.monotonic(), 0
        self._polls = UpstreamPolls(
            lambda: time.monotonic() < self._lease_until,
            record_poll,
            self.defer,
            self._defer_hosts,
            reload,
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs: Jobs | None = None
        for name in ("procrastinate", "psycopg.pool"):
            # Its errors come as exceptions, too, and are reported once.
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def join(self) -> None:
        """Join the other machines; see `membership.join`."""
        membership.join(self._settings(), self.name, self.roles)

    def beat(self) -> None:
        """Give a sign of life, from the thread of a long step before there are others."""
        if time.monotonic() - self._beat_at > BEAT_EVERY:
            self._beat_at = time.monotonic()
            membership.beat(self._settings(), self.name)

    # The thread of jobs

    def serve(self) -> None:
        """Do jobs until `stopping` or an error, which is raised."""
        import procrastinate.exceptions
        import psycopg
        import psycopg_pool

        try:
            asyncio.run(self._serve())
        except (
            procrastinate.exceptions.ProcrastinateException,
            psycopg.Error,
            psycopg_pool.PoolTimeout,
        ) as error:
            reason = one_line(error.__cause__ or error)
            raise StoreError(f"{masked(self._url)}: {reason}") from error

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        # Of jobs that end with their connections; what matters is raised as well.
        self._loop.set_exception_handler(
            lambda _, context: LOGGER.debug("jobs: %s", context.get("message"))
        )
        jobs = Jobs(self._url, Work(self._poll_host, self._begun(self._steps.all())))
        machines = Machines(self._url)
        try:
            # A poll that somebody starts by hand waits for these machines, and they for it.
            async with contextlib.AsyncExitStack() as stack:
                if UPSTREAM in self.roles:
                    poll_lock = paths.poll_lock(self._settings())
                    stack.enter_context(shared(poll_lock, host_polling.LOCK_WAIT, host_polling.WHO))
                # Which fails sooner than a pool of connections.
                await asyncio.to_thread(machines.waiting)
                await stack.enter_async_context(jobs.app.open_async())
                self._jobs = jobs
                at_once = JOBS_PER_REQUEST * self._settings().fetch.concurrency
                running = asyncio.create_task(
                    jobs.run(self._queues, at_once, BEAT_EVERY, DRAIN_WITHIN)
                )
                try:
                    await self._beat(machines, jobs, running)
                finally:
                    self._jobs = None
                    if not self._stopping.is_set():
                        # Other machines may have the hosts of the jobs as soon as these end.
                        self._lease_until = 0.0
                        await asyncio.to_thread(self._polls.wait, POLLS_END_WITHIN)
                    running.cancel()
                    # Its own error follows from that of this machine.
                    await asyncio.gather(running, return_exceptions=True)
                if self._stopping.is_set():
                    await asyncio.to_thread(machines.leave, self.name)
        finally:
            self._lease_until = 0.0
            self._loop = None
            machines.close()

    async def _beat(self, machines: Machines, jobs: Jobs, running: asyncio.Task[None]) -> None:
        """Give signs of life until `stopping`, and take over what other machines left."""
        while not self._stopping.is_set():
            began = time.monotonic()
            hosts = self._polls.hosts()
            if not await asyncio.to_thread(machines.beat, self.name, self._done, hosts[:MAX_HOSTS]):
                self._lease_until = 0.0
                await asyncio.to_thread(self.join)
                raise StoreError(
                    "this machine gave no sign of life, and the others took over its work; it "
                    "joins again"
                )
            self._lease_until = began + SILENT_AFTER - BEAT_EVERY
            for name in await asyncio.to_thread(machines.give_up_silent, self.name):
                LOGGER.warning("%s is silent: its work is given to the others", name)
            await jobs.give_up_stalled(SILENT_AFTER)
            if running.done():
                await running
                raise StoreError("the worker of jobs has stopped, and is started again")
            waiting = await asyncio.to_thread(machines.waiting)
            queues = [*self._queues, *([HOSTS] if UPSTREAM in self.roles else [])]
            self._check_that_jobs_begin(sum(waiting.get(queue, 0) for queue in queues))
            self._record_jobs(self._done - self._recorded, sum(waiting.values()), len(hosts))
            self._recorded = self._done
            for _ in range(int(BEAT_EVERY * 10)):
                if self._stopping.is_set():
                    return
                await asyncio.sleep(0.1)

    def _check_that_jobs_begin(self, waiting: int) -> None:
        """Raise `StoreError` if jobs wait for long and this machine begins none.

        A connection whose other end is gone may never say so.
        """
        if not waiting or self._running:
            self._began_job = time.monotonic()
        elif time.monotonic() - self._began_job > IDLE_AFTER:
            self._began_job = time.monotonic()
            jobs = counted(waiting, "job")
            raise StoreError(
                f"jobs: {jobs} waiting, but this machine has started none for a minute"
            )

    async def _poll_host(self, host: str, places: Sequence[Place]) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[float | Exception] = loop.create_future()

        def finished(outcome: float | Exception) -> None:
            # The loop may have ended before the polls.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_set, ended, outcome)

        with self._job():
            if any(origin not in self._settings().origin_names for origin, _ in places):
                await asyncio.to_thread(self._receive_lists)
            if not self._polls.submit(HostJob(host, places, finished)):
                raise StoreError(f"{host}: cannot be polled now")
            outcome = await ended
            if isinstance(outcome, Exception):
                raise outcome
            # The host is this machine's until it may be sent the next request.
            await asyncio.sleep(outcome)

    @contextlib.contextmanager
    def _job(self) -> Iterator[None]:
        """Count a job: while it runs, and when it is done."""
        self._began_job = time.monotonic()
        self._running += 1
        try:
            yield
            self._done += 1
        finally:
            self._running -= 1

    def _begun(self, steps: Mapping[str, Step]) -> dict[str, Step]:
        """Return steps that are counted as jobs of this machine."""

        async def counted_step(step: Step) -> None:
            with self._job():
                await step()

        return {name: partial(counted_step, step) for name, step in steps.items()}

    def _receive_lists(self) -> None:
        try:
            host_polling.receive_lists(self._settings())
        except FeedListsChangedError:
            self._reload()

    # The thread of polls

    def poll(self, beat: Callable[[], None]) -> None:
        """Poll the hosts of this machine's jobs until `stopping` or `reloaded`, or an error."""
        if time.monotonic() >= self._lease_until:
            self._stopping.wait(0.5)
        elif not self._stopping.is_set():
            self._polls.run(self._settings(), beat)

    def reloaded(self) -> None:
        """Go on with the settings that were loaded again."""
        self._polls.stop()

    def stop(self) -> None:
        """End the polls and notifications that are under way; `stopping` is set."""
        self._steps.cancel()
        self._polls.stop()

    # Any thread

    def defer(self, name: str, seconds: int = 0) -> None:
        """Have a job done after some seconds by whichever machine is free."""
        if self._jobs is not None:
            self._soon(self._jobs.defer(name, seconds))

    def _defer_hosts(self, found: Mapping[str, Sequence[Place]]) -> None:
        if self._jobs is not None:
            self._soon(self._jobs.defer_hosts(found))

    async def _defer_due(self, found: Mapping[str, Sequence[Place]]) -> None:
        if self._jobs is not None:
            await self._jobs.defer_hosts(found)

    def _soon(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something in the thread of jobs; if it is lost, the next round does it."""
        loop = self._loop
        if loop is None:
            work.close()
            return
        asyncio.run_coroutine_threadsafe(work, loop)


def _set(ended: asyncio.Future[float | Exception], outcome: float | Exception) -> None:
    if not ended.done():
        ended.set_result(outcome)
