"""The jobs of all machines, as tasks of procrastinate on the store's own database.

A job is only a hint: what is due stands in the store.  So every job is deleted when it ends,
whether or not it succeeded, and the next round makes a lost one again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import procrastinate
from procrastinate import exceptions, jobs

from aggregator.poll.due_hosts import Place
from aggregator.store.psycopg_driver import CONNECT_WITHIN, connection_options

# The roles of a machine that have a queue of that name, and the queue of hosts to poll.
UPSTREAM, BUILD = "upstream", "build"
HOSTS = "hosts"
POLL_HOST, FIND_DUE, BEGIN_POLL, NOTIFY_HUBS = "poll host", "find due", "begin poll", "notify hubs"
# URLs of one host in a job; the rest follows in the next one.
URLS_AT_ONCE = 60
# In the form of cron, with seconds at the end.
EVERY_TEN_SECONDS = "* * * * * */10"
EVERY_MINUTE = "* * * * *"
EVERY_TEN_MINUTES = "*/10 * * * *"
Step = Callable[[], Awaitable[None]]
# The queue of each job that concerns all hosts, and when it comes by itself.
_QUEUES = {
    FIND_DUE: (UPSTREAM, EVERY_TEN_SECONDS),
    BEGIN_POLL: (UPSTREAM, EVERY_TEN_MINUTES),
    BUILD: (BUILD, EVERY_MINUTE),
    NOTIFY_HUBS: (UPSTREAM, EVERY_MINUTE),
}


@dataclass(frozen=True, slots=True)
class Work:
    """What the jobs do: that of a host, and by their names those that concern all hosts."""

    poll_host: Callable[[str, Sequence[Place]], Awaitable[None]]
    steps: Mapping[str, Step]


class Jobs:
    """The jobs that wait and run on all machines, and those that this one does."""

    def __init__(self, url: str, work: Work) -> None:
        """Prepare; nothing is connected before `app.open_async`."""
        connector = procrastinate.PsycopgConnector(
            conninfo=url,
            min_size=1,
            max_size=4,
            timeout=CONNECT_WITHIN,
            configure=_configure,
            kwargs=connection_options("jobs"),
        )
        self.app = procrastinate.App(connector=connector)
        self._add(work)

    def _add(self, work: Work) -> None:
        async def poll_host(host: str, places: list[list[str]]) -> None:
            await work.poll_host(host, [(origin, url) for origin, url in places])

        self.app.task(name=POLL_HOST, queue=HOSTS)(poll_host)
        for name, step in work.steps.items():
            queue, cron = _QUEUES[name]
            task = self.app.task(name=name, queue=queue, lock=name, queueing_lock=name)(_done(step))
            self.app.periodic(cron=cron)(task)

    async def defer(self, name: str, seconds: int = 0) -> None:
        """Have a job done after some seconds by whichever machine is free, unless it waits."""
        task = self.app.tasks[name]
        deferrer = task.configure(schedule_in={"seconds": seconds}) if seconds else task
        with contextlib.suppress(exceptions.AlreadyEnqueued):
            await deferrer.defer_async(timestamp=0)

    async def defer_hosts(self, found: Mapping[str, Sequence[Place]]) -> int:
        """Have hosts polled, except those for which there is a job; return how many.

        A host is polled by one machine at a time: its jobs have one lock.
        """
        listed = await self.app.job_manager.list_jobs_async(task=POLL_HOST)
        known = {job.lock for job in listed}
        locks = {host: f"host {host}" for host in found}
        new = [
            jobs.Job(
                id=None,
                queue=HOSTS,
                lock=locks[host],
                queueing_lock=locks[host],
                task_name=POLL_HOST,
                task_kwargs={"host": host, "places": [list(place) for place in some]},
            )
            for host, places in found.items()
            if locks[host] not in known and (some := places[:URLS_AT_ONCE])
        ]
        try:
            await self.app.job_manager.batch_defer_jobs_async(jobs=new)
        except exceptions.AlreadyEnqueued:
            # Another machine was quicker for one of them.
            for job in new:
                with contextlib.suppress(exceptions.AlreadyEnqueued):
                    await self.app.job_manager.defer_job_async(job)
        return len(new)

    async def give_up_stalled(self, seconds: float) -> int:
        """Free what machines hold that are silent for so many seconds; return how many jobs.

        The jobs are deleted: what they were to do is still due.
        """
        stalled = list(await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=seconds))
        for job in stalled:
            # Another machine may do the same.
            with contextlib.suppress(exceptions.ConnectorException):
                await self.app.job_manager.finish_job(
                    job, status=jobs.Status.FAILED, delete_job=True
                )
        await self.app.job_manager.prune_stalled_workers(seconds)
        return len(stalled)

    async def run(
        self, queues: Collection[str], at_once: int, seconds: float, drain: float
    ) -> None:
        """Do jobs of some queues until cancelled, then end those that run within `drain` seconds.

        So many hosts are polled at once; what concerns all hosts waits for none of them.
        `seconds` is the time between two signs of life.
        """
        workers = [self._worker(queues, len(_QUEUES), seconds, drain)]
        if UPSTREAM in queues:
            workers.append(self._worker([HOSTS], at_once, seconds, drain))
        tasks = [asyncio.create_task(worker) for worker in workers]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _worker(
        self, queues: Collection[str], at_once: int, seconds: float, drain: float
    ) -> None:
        await self.app.run_worker_async(
            queues=sorted(queues),
            concurrency=at_once,
            install_signal_handlers=False,
            delete_jobs="always",
            update_heartbeat_interval=seconds,
            stalled_worker_timeout=5 * seconds,
            fetch_job_polling_interval=2.0,
            shutdown_graceful_timeout=drain,
        )


async def _configure(connection: Any) -> None:
    """Let the server find jobs by their indexes only.

    Without statistics of a table that is empty most of the time it plans otherwise, and with
    thousands of jobs the next one is then found in 10 ms instead of 1.
    """
    await connection.execute("SET enable_bitmapscan = off; SET enable_seqscan = off; SET jit = off")
    await connection.commit()


def _done(step: Step) -> Callable[[int], Awaitable[None]]:
    """Return `step` as a periodic task, which ignores the time for which it was scheduled."""

    async def task(timestamp: int) -> None:
        await step()

    return task
