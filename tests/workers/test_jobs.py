"""The jobs of all machines, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import psycopg
import pytest
from postgresql import new_database

from aggregator.poll.due_hosts import Place
from aggregator.store import job_schema
from aggregator.store.database import Store
from aggregator.workers.jobs import BUILD, HOSTS, POLL_HOST, UPSTREAM, URLS_AT_ONCE, Jobs, Work

PLACES = [("lists:https://a.example.org/", "https://a.example.org/")]


@pytest.fixture
def url() -> str:
    found = new_database()
    with Store(found) as store, store.transaction() as connection:
        job_schema.update(connection)
    return found


async def nothing() -> None:
    pass


def jobs_that(
    url: str,
    poll_host: Callable[[str, Sequence[Place]], Awaitable[None]],
    build: Callable[[], Awaitable[None]] = nothing,
) -> Jobs:
    return Jobs(url, Work(poll_host, {BUILD: build}))


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_a_host_has_one_job_with_so_many_urls(url: str) -> None:
    async def poll_host(host: str, places: Sequence[Place]) -> None:
        pass

    async def defer() -> list[int]:
        jobs = jobs_that(url, poll_host)
        async with jobs.app.open_async():
            many = PLACES * (URLS_AT_ONCE + 1)
            first = await jobs.defer_hosts({"a.example.org": many, "b.example.org": PLACES})
            second = await jobs.defer_hosts({"a.example.org": PLACES, "c.example.org": PLACES})
            return [first, second, await jobs.defer_hosts({})]

    assert asyncio.run(defer()) == [2, 1, 0]
    found = rows(url, "SELECT lock, jsonb_array_length(args->'places') FROM procrastinate_jobs")
    assert sorted(found) == [
        ("host a.example.org", URLS_AT_ONCE),
        ("host b.example.org", 1),
        ("host c.example.org", 1),
    ]


def test_jobs_are_done_and_deleted_whatever_comes_of_them(url: str) -> None:
    done: list[tuple[str, Sequence[Place]]] = []

    async def poll_host(host: str, places: Sequence[Place]) -> None:
        done.append((host, places))
        if host == "b.example.org":
            raise RuntimeError("a bad host")

    async def work() -> None:
        built = asyncio.Event()

        async def build() -> None:
            built.set()

        jobs = jobs_that(url, poll_host, build)
        async with jobs.app.open_async():
            await jobs.defer_hosts({"a.example.org": PLACES, "b.example.org": PLACES})
            for _ in range(2):
                await jobs.defer(BUILD)
            running = asyncio.create_task(jobs.run([UPSTREAM, BUILD], 4, 1.0, 5.0))
            await asyncio.wait_for(built.wait(), 20)
            while rows(url, f"SELECT 1 FROM procrastinate_jobs WHERE task_name = '{POLL_HOST}'"):
                await asyncio.sleep(0.01)
            running.cancel()
            await asyncio.wait([running])

    asyncio.run(work())
    assert sorted(done) == [("a.example.org", PLACES), ("b.example.org", PLACES)]


def test_the_jobs_of_a_machine_that_is_gone_are_given_up(url: str) -> None:
    async def forever(host: str, places: Sequence[Place]) -> None:
        await asyncio.sleep(3600)

    async def work() -> tuple[int, int]:
        jobs = jobs_that(url, forever)
        async with jobs.app.open_async():
            await jobs.defer_hosts({"a.example.org": PLACES})
            with psycopg.connect(url, autocommit=True) as connection:
                # What a worker leaves that was killed.
                (worker,) = connection.execute(
                    "SELECT worker_id FROM procrastinate_register_worker_v1()"
                ).fetchone() or (0,)
                connection.execute(
                    "SELECT procrastinate_fetch_job_v2(%s::varchar[], %s)", ([HOSTS], worker)
                )
                before = await jobs.give_up_stalled(20)
                connection.execute(
                    "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '30 s'"
                )
                return before, await jobs.give_up_stalled(20)

    assert asyncio.run(work()) == (0, 1)
    assert rows(url, "SELECT * FROM procrastinate_jobs") == []
