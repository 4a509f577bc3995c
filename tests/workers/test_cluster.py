"""A machine that loses its database, and gets it back."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from pathlib import Path

import psycopg
import pytest
from configured import settings_with
from postgresql import new_database
from waiting import wait_for

from aggregator.config.schema import Settings
from aggregator.model.errors import StoreError
from aggregator.store.psycopg_driver import this_process
from aggregator.workers.cluster import Cluster


class Running:
    """A cluster's thread of jobs, and what came of its turns."""

    def __init__(self, settings: Settings, *, builds_at_once: bool) -> None:
        self.builds_at_once = builds_at_once
        self.stopping = threading.Event()
        self.builds: list[concurrent.futures.Future[None]] = []
        self.errors: list[Exception] = []
        self.beats = 0
        self.cluster = Cluster(
            lambda: settings,
            ["build"],
            self.stopping,
            self._build,
            lambda outcome: None,
            lambda: None,
            self._beat,
            lambda name, failures: None,
        )
        self.cluster.join()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            try:
                self.cluster.serve()
            except StoreError as error:
                self.errors.append(error)
                time.sleep(0.1)

    def _build(self) -> concurrent.futures.Future[None]:
        self.builds.append(concurrent.futures.Future())
        if self.builds_at_once:
            self.builds[-1].set_result(None)
        return self.builds[-1]

    def _beat(self, done: int, waiting: int, hosts: int) -> None:
        self.beats += 1

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "var").mkdir()
    return settings_with(store=new_database(), base=tmp_path)


def test_a_build_is_a_job_that_ends_with_it(settings: Settings) -> None:
    running = Running(settings, builds_at_once=False)
    try:
        wait_for(lambda: running.builds)
        query = "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'build'"
        with psycopg.connect(str(settings.store_address), autocommit=True) as connection:
            assert ("doing",) in connection.execute(query).fetchall()
            running.builds[0].set_result(None)
            wait_for(lambda: ("doing",) not in connection.execute(query).fetchall())
    finally:
        for build in running.builds:
            if not build.done():
                build.set_result(None)
        running.stop()


def test_connections_that_are_cut_are_made_again(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    running = Running(settings, builds_at_once=True)
    try:
        wait_for(lambda: running.beats)
        with psycopg.connect(str(settings.store_address), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                "datname = current_database() AND starts_with(application_name, %s)",
                (this_process(),),
            )
        before = running.beats
        wait_for(lambda: running.beats > before, 40)
    finally:
        running.stop()
    assert running.errors
    assert all("postgresql://" in str(error) for error in running.errors)
    assert "Traceback" not in capfd.readouterr().err
