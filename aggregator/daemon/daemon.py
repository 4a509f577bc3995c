"""The daemon: polls and builds on a schedule, and immediately when a post arrives.

The main thread does all work on posts and feeds, and sends heartbeats to systemd.  A second
one polls the upstream, so that no post waits for a slow server, a third one notifies hubs.
The scheduler and the watches of folders only mark what is due.  All of it runs in
`Health.run_stage` and `Health.run_loop`: a failure is recorded, and the work tried again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from aggregator import processes
from aggregator.config import paths
from aggregator.config.load import load_settings
from aggregator.config.paths import is_database
from aggregator.config.schema import Settings
from aggregator.daemon import systemd
from aggregator.daemon.due import Due
from aggregator.daemon.health import Health
from aggregator.daemon.network import LOCK_WAIT, LONGEST_PAUSE, Network
from aggregator.daemon.posts import PostsWork
from aggregator.daemon.schedule import Schedule
from aggregator.model.errors import ConfigError, FeedListsChangedError
from aggregator.model.kinds import ORIGIN_KINDS, UPSTREAM_KINDS
from aggregator.model.logs import LOGGER
from aggregator.pipeline import building
from aggregator.store.lock import exclusive

if TYPE_CHECKING:
    from aggregator.daemon.shared_network import SharedNetwork

WHO = "aggregator run"
ROLES = frozenset(["posts", "upstream", "build"])
# What the main thread does; "scheduled" is due when a scheduled article is published.
MAIN_KINDS = frozenset(["posts", "files", "build", "scheduled", "reload", "setup", "maintenance"])


class _StoppedError(BaseException):
    """A signal has ended the daemon; raised between two steps of the work."""


class Daemon:
    """Keeps the feeds of one site up to date until a signal ends it."""

    def __init__(
        self, config: Path, settings: Settings, health: Health, roles: frozenset[str] = ROLES
    ) -> None:
        self._config = config
        self._loaded = _content(config)
        self._settings = settings
        self._health = health
        self._due = Due()
        self._stopping = threading.Event()
        self._schedule: Schedule | None = None
        self._is_ready = False
        self._roles = roles
        self._network = self._make_network()
        self._posts = PostsWork(config, health, self._due, roles, self._heartbeat)

    def _make_network(self) -> Network | SharedNetwork:
        arguments = (self._health, self._due, self._stopping, lambda: self._settings)
        if not is_database(self._settings.store):
            return Network(*arguments)
        from aggregator.daemon.shared_network import SharedNetwork

        return SharedNetwork(*arguments, self._roles)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT.  Raises what joining other machines raises."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, lambda *_: self._due.mark("reload"))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        # The kernel sends it when another program opens a file that is being read.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        try:
            LOGGER.info("started with %s", self._config)
            self._begin()
            self._posts.watch(self._settings)
            # Before there are threads, a large first build may use several processes.
            self._due.mark("posts", "setup", *self._network.hub_kinds())
            self._health.run_loop("main", self._turn, self._stopping)
        except _StoppedError:
            pass
        finally:
            self._close()

    def _begin(self) -> None:
        """Join other machines, with the lists of feeds that they have received."""
        try:
            self._network.begin()
        except FeedListsChangedError:
            self._settings = load_settings(self._config)
            self._network.begin()

    def _turn(self) -> None:
        """Wait for something to be due, and do it."""
        self._check_schedule()
        watchdog = systemd.watchdog_seconds()
        pause = min(LONGEST_PAUSE, watchdog / 4) if watchdog else LONGEST_PAUSE
        due = self._due.take(MAIN_KINDS, pause)
        self._heartbeat()
        self._health.save_state()
        if "reload" in due:
            self._run("setup", self._reload, {"reload"})
        if due & {"posts", "files", "build", "scheduled", "reload"}:
            failed = due & {"posts", "build"} or {"posts"}
            self._run("posts", partial(self._poll_and_build, due), failed)
            self._network.built()
            self._notify(f"STATUS={self._health.status()}")
        if "setup" in due:
            self._run("setup", self._set_up, {"setup"})
        if "maintenance" in due:
            self._run("maintenance", self._maintain, {"maintenance"})

    def _run(self, stage: str, work: Callable[[], list[str]], kinds: Collection[str]) -> None:
        """Run a stage; if it fails, these kinds are due again after a pause."""

        def with_lists() -> list[str]:
            try:
                return work()
            except FeedListsChangedError:
                self._due.mark("reload", *kinds)
                return []

        self._due.mark_retry(self._health.run_stage(stage, with_lists), kinds)

    def _check_schedule(self) -> None:
        if self._schedule is None:
            return
        if self._schedule.clock_has_jumped():
            self._posts.must_scan()
            self._due.mark("posts", *self._network.hub_kinds(), *UPSTREAM_KINDS)
        if self._schedule.has_stopped() and not self._due.is_due_later({"setup"}):
            LOGGER.warning("the schedule has stopped, and is started again")
            self._due.mark("setup")

    def _set_up(self) -> list[str]:
        """Start the other threads."""
        processes.use_one_process()
        self._network.start()
        self._posts.start()
        self._start_schedule()
        if not self._is_ready:
            self._is_ready = True
            self._notify("READY=1", f"STATUS={self._health.status()}")
            LOGGER.info("ready: %s", self._health.status())
        return []

    def _poll_and_build(self, due: set[str]) -> list[str]:
        # A stamp vouches for the file's configuration, which may be newer than the loaded one.
        is_loaded = _content(self._config) == self._loaded
        outcome = self._posts.poll_and_build(due, self._settings, is_loaded=is_loaded)
        if outcome is None:
            return []
        if outcome.build.written:
            self._network.feeds_written()
        if outcome.poll.changes:
            self._network.posts_changed()
        return outcome.failures

    def _reload(self) -> list[str]:
        """Load config.yaml again; if it has an error, keep using the old configuration."""
        self._notify(*systemd.reloading())
        content = _content(self._config)
        try:
            settings = load_settings(self._config)
            if settings.store_address != self._settings.store_address:
                raise ConfigError(f"{self._config}: store: changes with a restart only")
            self._network.check(settings)
        except ConfigError as error:
            for problem in error.problems:
                LOGGER.error("configuration not reloaded, still using the old one: %s", problem)
            self._health.record_config_error("; ".join(error.problems))
        else:
            self._settings, self._loaded = settings, content
            self._health.record_config_error(None)
            LOGGER.info("reloaded %s", self._config)
            self._network.reloaded()
            self._posts.watch(settings)
            self._start_schedule()
            self._due.mark(*UPSTREAM_KINDS)
        self._notify("READY=1", f"STATUS={self._health.status()}")
        return []

    def _start_schedule(self) -> None:
        """Start the schedule of the current settings."""
        if self._schedule is not None:
            self._schedule.close()
        settings = self._settings
        # Share pages come from posts, so they are due without an entry in the configuration.
        kinds = {
            kind: settings.shortest_interval(kind)
            for kind in ORIGIN_KINDS
            if kind in ("posts", "shares") or settings.sections(kind)
        }
        self._schedule = Schedule(kinds, settings.site.timezone, self._due.mark, self._health)
        self._due.mark(*UPSTREAM_KINDS & kinds.keys())

    def _maintain(self) -> list[str]:
        with exclusive(paths.store_lock(self._settings), LOCK_WAIT, WHO):
            building.tidy(self._settings)
        return []

    def _heartbeat(self) -> None:
        """Show systemd's watchdog that the daemon works, unless a stage is stuck.

        Raises `_StoppedError` after a signal.
        """
        if self._stopping.is_set():
            raise _StoppedError
        self._health.heartbeat("posts")
        self._network.beat()
        if self._health.stuck_stage() is None and systemd.watchdog_seconds() is not None:
            self._notify("WATCHDOG=1")

    def _notify(self, *assignments: str) -> None:
        """Notify systemd; the daemon goes on if it cannot be reached."""
        try:
            systemd.notify(*assignments)
        except OSError as error:
            self._health.record("systemd", [f"systemd: cannot be notified: {error.strerror}"])
        else:
            self._health.record("systemd", [])

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """End the work at its next step, or the process if that takes too long.

        A signal handler must raise nothing: the exception could be lost in a callback.
        """
        if not self._stopping.is_set():
            self._stopping.set()
            timer = threading.Timer(self._network.stop_within, self._exit)
            timer.daemon = True
            timer.start()
        self._due.mark()

    def _exit(self) -> None:
        """End the process at once: what is stored and written is whole at any moment."""
        LOGGER.info("stopped in the middle of a step")
        self._health.close()
        os._exit(0)

    def _close(self) -> None:
        """Stop the threads within seconds; what they do at the moment is abandoned."""
        LOGGER.info("stopping")
        self._stopping.set()
        self._notify("STOPPING=1", "STATUS=stopping")
        self._network.cancel()
        self._posts.close()
        if self._schedule is not None:
            self._schedule.close()
        self._due.mark()
        self._network.join()
        self._health.close()
        LOGGER.info("stopped")


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
