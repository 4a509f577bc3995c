"""The daemon: polls and builds on a schedule, and at once when a post lands.

The main thread does all work on posts and feeds, and gives the signs of life; a second
one polls the upstream, so that a slow server keeps no post waiting, and a third one tells
hubs; the scheduler and the watcher of folders only say what is due.  All of them stand
under `Health.run_stage` and `Health.run_loop`: whatever fails is seen, and done again.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from types import FrameType

from aggregator import processes
from aggregator.build import unchanged
from aggregator.config import paths
from aggregator.config.load import load_settings
from aggregator.config.schema import Settings
from aggregator.daemon import schedule, systemd
from aggregator.daemon.due import Due
from aggregator.daemon.health import Health
from aggregator.daemon.network import LOCK_WAIT, LONGEST_PAUSE, Network
from aggregator.daemon.watch import FolderWatch
from aggregator.model.errors import AggregatorError, ConfigError, LockedError
from aggregator.model.kinds import ORIGIN_KINDS, UPSTREAM_KINDS
from aggregator.model.logs import LOGGER
from aggregator.pipeline import building
from aggregator.store.lock import exclusive

WHO = "aggregator run"
# "held" is due when an article that is held back is.
OWN = frozenset(["posts", "build", "held", "reload", "setup", "maintenance"])
# A file that is being written, and one that was read too young, are looked at again.
SOON, AFTER_QUIET = 0.5, 2.2
GOODBYE = 3.5


class _StoppedError(BaseException):
    """A signal has asked the daemon to end; raised between two pieces of work."""


class Daemon:
    """One site, kept up to date until it is told to stop."""

    def __init__(self, config: Path, settings: Settings, health: Health) -> None:
        self._config = config
        self._loaded = _content(config)
        self._settings = settings
        self._health = health
        self._due = Due()
        self._stopping = threading.Event()
        self._watch: FolderWatch | None = None
        self._schedule: schedule.Schedule | None = None
        self._is_ready = False
        self._network = Network(health, self._due, self._stopping, lambda: self._settings)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        Raises `LockedError`, with who it is, if a daemon works on the store already.
        """
        with self._alone():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            signal.signal(signal.SIGHUP, lambda *_: self._due.mark("reload"))
            # The kernel's word that a file is opened for writing while we look at it.
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            try:
                self._work()
            except _StoppedError:
                LOGGER.info("stopping")
            finally:
                self._end()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the one daemon of the store."""
        path = paths.daemon_lock_path(self._settings)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(exclusive(path, 0, WHO))
            except LockedError as error:
                holder = path.read_text("utf-8", "replace").strip().removesuffix(f" ({WHO})")
                raise LockedError(
                    f"{self._settings.store_path}: another `{WHO}` ({holder or 'starting'}) "
                    "already serves this store"
                ) from error
            yield

    def _work(self) -> None:
        LOGGER.info("started with %s", self._config)
        # Before there are threads, a large first build may use both cores.
        self._due.mark("posts", "setup", *self._network.hubs())
        self._health.run_loop("main", self._turn, self._stopping)
        LOGGER.info("stopping")

    def _turn(self) -> None:
        """What the main thread does, time and again: what is due, after a while or at once."""
        self._look_at_schedule()
        due = self._due.take(OWN, self._pause())
        self._alive()
        self._health.save_state()
        if "reload" in due:
            self._due.again(self._health.run_stage("setup", self._reload), due & {"reload"})
        if due & {"posts", "build", "held", "reload"}:
            self._due.again(
                self._health.run_stage("posts", partial(self._posts, due)),
                due & {"posts", "build"} or {"posts"},
            )
            self._notify(f"STATUS={self._health.status()}")
        if "setup" in due:
            self._due.again(self._health.run_stage("setup", self._set_up), {"setup"})
        if "maintenance" in due:
            self._due.again(self._health.run_stage("maintenance", self._maintain), {"maintenance"})

    def _look_at_schedule(self) -> None:
        if self._schedule is None:
            return
        if self._schedule.clock_has_jumped():
            self._due.mark("posts", *self._network.hubs(), *UPSTREAM_KINDS)
        if self._schedule.has_stopped() and not self._due.has_date({"setup"}):
            LOGGER.warning("the schedule has stopped, and is started again")
            self._due.mark("setup")

    def _set_up(self) -> list[str]:
        """Start all that says what is due, and the threads that do the rest."""
        processes.use_one_process()
        self._network.start()
        self._start_watching()
        if not self._is_ready:
            self._is_ready = True
            self._notify("READY=1", f"STATUS={self._health.status()}")
            LOGGER.info("ready: %s", self._health.status())
        return []

    def _posts(self, due: Collection[str]) -> list[str]:
        """Poll the posts folders and build, or find out in a moment that all is current."""
        poll = "posts" in due or "reload" in due
        if poll and self._health.has_succeeded("posts"):
            current = unchanged.check(self._config)
            if current is not None:
                self._health.record_totals(**current)
                return []
        # A stamp vouches for the file's configuration, which may be newer than the loaded one.
        is_loaded = _content(self._config) == self._loaded
        options = building.BuildOptions(
            poll=poll, wait=LOCK_WAIT, settle=True, write_stamp=is_loaded
        )
        outcome = building.build_feeds(self._settings, self._config, options, self._progress)
        self._health.record_build(outcome)
        if outcome.build.written and self._settings.feeds.hubs:
            self._due.mark("hubs")
        if outcome.waiting or outcome.young:
            self._due.mark_later(SOON if outcome.waiting else AFTER_QUIET, "posts")
        self._due.mark_at(outcome.next_due, "held")
        processes.give_back_memory()
        return outcome.failures

    def _reload(self) -> list[str]:
        """Read config.yaml again; a broken one is refused and the old one stays."""
        self._notify(*systemd.reloading())
        content = _content(self._config)
        try:
            settings = load_settings(self._config)
            if settings.store_path != self._settings.store_path:
                raise ConfigError(f"{self._config}: store: changes with a restart only")
        except ConfigError as error:
            LOGGER.error("not reloaded, the old configuration stays: %s", error)
            self._health.record_config_error(str(error))
        else:
            self._settings, self._loaded = settings, content
            self._health.record_config_error(None)
            LOGGER.info("reloaded %s", self._config)
            self._start_watching()
            self._due.mark(*UPSTREAM_KINDS)
        self._notify("READY=1", f"STATUS={self._health.status()}")
        return []

    def _start_watching(self) -> None:
        """Watch the folders and start the schedule of the settings as they are now."""
        if self._watch is not None:
            self._watch.close()
        if self._schedule is not None:
            self._schedule.close()
        folders = [
            (self._settings.base / posts.path, "/" in posts.glob) for posts in self._settings.posts
        ]
        self._watch = FolderWatch(folders, lambda: self._due.mark("posts"), self._health)
        # Posts name share pages, so that these are due whatever the configuration says.
        settings = self._settings
        kinds = {
            kind: getattr(settings.schedule, kind)
            for kind in ORIGIN_KINDS
            if kind in ("posts", "shares") or getattr(settings, kind)
        }
        self._schedule = schedule.Schedule(
            kinds, self._settings.site.timezone, self._due.mark, self._health
        )
        self._due.mark(*(kind for kind in kinds if kind in UPSTREAM_KINDS))

    def _maintain(self) -> list[str]:
        with exclusive(paths.lock_path(self._settings), LOCK_WAIT, WHO):
            building.tidy(self._settings)
        return []

    def _progress(self, stage: str, done: int, total: int) -> None:
        self._health.heartbeat("posts")
        self._alive()

    def _alive(self) -> None:
        """A sign of life for the watchdog, unless one of the loops is stuck."""
        if self._stopping.is_set():
            raise _StoppedError
        self._health.heartbeat("posts")
        if self._health.stuck_stage() is None and systemd.watchdog_seconds() is not None:
            self._notify("WATCHDOG=1")

    def _notify(self, *assignments: str) -> None:
        """Tell systemd, if it listens: nothing depends on that it does."""
        try:
            systemd.notify(*assignments)
        except OSError as error:
            self._health.record("systemd", [f"systemd: cannot be told: {error.strerror}"])
        else:
            self._health.record("systemd", [])

    def _pause(self) -> float:
        seconds = systemd.watchdog_seconds()
        return min(LONGEST_PAUSE, seconds / 4) if seconds else LONGEST_PAUSE

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Have the work end at its next step, or end the process if there is none in time.

        An exception from here could be lost in a callback that Python lets raise nothing.
        """
        if not self._stopping.is_set():
            self._stopping.set()
            last = threading.Timer(GOODBYE, self._leave)
            last.daemon = True
            last.start()
        self._due.mark()

    def _leave(self) -> None:
        """End at once: all that was stored or written is whole at any moment."""
        LOGGER.info("stopped within a step")
        self._health.close()
        os._exit(0)

    def _end(self) -> None:
        """Let go of everything within some seconds; what was begun is abandoned."""
        self._stopping.set()
        self._notify("STOPPING=1", "STATUS=stopping")
        self._network.cancel()
        if self._watch is not None:
            self._watch.close()
        if self._schedule is not None:
            self._schedule.close()
        self._due.mark()
        self._network.join(GOODBYE / 2)
        self._health.close()
        LOGGER.info("stopped")


def run(config: Path, listen: str | None) -> None:
    """Run the daemon of a configuration until it is told to stop.

    `listen` is ADDRESS:PORT for metrics and health, None for none.  Raises what
    `load_settings` and `Daemon.run` raise.
    """
    settings = load_settings(config)
    health = Health(paths.daemon_state_path(settings), settings.schedule.posts)
    if listen is not None:
        from aggregator.daemon import endpoints

        endpoints.start(listen, health, settings.feeds_directory)
        processes.use_one_process()
    try:
        Daemon(config, settings, health).run()
    except AggregatorError:
        systemd.notify("STOPPING=1")
        raise


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
