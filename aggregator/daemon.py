"""The daemon: polls and builds on a schedule, and at once when a post lands.

The main thread does all work on posts and feeds, and gives the signs of life; a second
one polls the upstream, so that a slow server keeps no post waiting; the scheduler and
the watcher of folders only say what is due.
"""

from __future__ import annotations

import datetime
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from aggregator import assembly, memory, polling, runs, schedule, standstill, systemd, workers
from aggregator.config import load_settings
from aggregator.errors import AggregatorError, ConfigError
from aggregator.folders import FolderWatch
from aggregator.health import Health
from aggregator.logs import LOGGER
from aggregator.settings import Settings
from aggregator.store.lock import exclusive

WHO = "aggregator run"
UPSTREAM = ("lists", "subscriptions", "shares")
LOCK_WAIT = 30.0
# A file that is being written, and one that was read too young, are looked at again.
SOON, AFTER_QUIET = 0.5, 2.2
# Without systemd's watchdog: how often the main thread looks at clocks.
LONGEST_PAUSE = 10.0
GOODBYE = 3.5

Clock = Callable[[], datetime.datetime]


class _StoppedError(BaseException):
    """A signal has asked the daemon to end; raised between two pieces of work."""


class Daemon:
    """One site, kept up to date until it is told to stop."""

    def __init__(self, config: Path, settings: Settings, health: Health) -> None:
        self._config = config
        self._loaded = _content(config)
        self._settings = settings
        self._health = health
        self._changed = threading.Condition()
        self._due: set[str] = set()
        self._look_again: float | None = None
        self._stopping = threading.Event()
        self._watch: FolderWatch | None = None
        self._schedule: schedule.Schedule | None = None
        self._poll: polling.Canceller | None = None
        self._hubs_due: datetime.datetime | None = None
        self._telling = polling.Canceller()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT.

        Raises `LockedError`, with who it is, if a daemon works on the store already.
        """
        with exclusive(runs.daemon_lock_path(self._settings), 0, WHO):
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            signal.signal(signal.SIGHUP, lambda *_: self.mark("reload"))
            # The kernel's word that a file is opened for writing while we look at it.
            signal.signal(signal.SIGIO, signal.SIG_IGN)
            try:
                self._work()
            except _StoppedError:
                LOGGER.info("stopping")
            finally:
                self._end()

    def mark(self, *kinds: str) -> None:
        """Say that something is due; safe to call from any thread."""
        with self._changed:
            self._due.update(kinds)
            self._changed.notify_all()

    def _work(self) -> None:
        LOGGER.info("started, process of %s", self._config)
        # Before there are threads, a large first build may use both cores.
        self._posts(poll=True)
        workers.use_one_process()
        network = threading.Thread(target=self._network, name="upstream", daemon=True)
        network.start()
        threading.Thread(target=self._hubs, name="hubs", daemon=True).start()
        self._start_watching()
        systemd.notify("READY=1", f"STATUS={self._health.status()}")
        LOGGER.info("ready: %s", self._health.status())
        while True:
            self._do(self._wait())

    def _wait(self) -> set[str]:
        """What is due in this thread, after a while or at once."""
        own = {"posts", "build", "reload", "maintenance"}
        with self._changed:
            if not self._due & own:
                self._changed.wait(self._pause())
            due, self._due = self._due & own, self._due - own
        now = time.monotonic()
        if self._look_again is not None and now >= self._look_again:
            self._look_again = None
            due.add("posts")
        if self._schedule is not None and self._schedule.clock_has_jumped():
            due.add("posts")
            self.mark(*UPSTREAM)
        self._alive()
        return due

    def _do(self, due: set[str]) -> None:
        if "reload" in due:
            self._reload()
        if due & {"posts", "build", "reload"}:
            self._posts(poll="posts" in due or "reload" in due)
        if "maintenance" in due:
            self._health.step("maintenance", self._maintain)

    def _posts(self, *, poll: bool) -> None:
        """Poll the posts folders and build, or find out in a moment that all is current."""
        if poll and self._health.is_well("posts"):
            current = standstill.check(self._config)
            if current is not None:
                self._health.current(current)
                return

        def work() -> list[str]:
            # What is built by an older configuration than the file's is not noted as current.
            is_loaded = _content(self._config) == self._loaded
            options = runs.Options(poll=poll, wait=LOCK_WAIT, settle=True, note=is_loaded)
            outcome = runs.build_feeds(self._settings, self._config, options, self._progress)
            self._health.built(outcome)
            if outcome.build.written and self._settings.feeds.hubs:
                self.mark("hubs")
            if outcome.waiting or outcome.young:
                pause = SOON if outcome.waiting else AFTER_QUIET
                self._look_again = time.monotonic() + pause
            if self._schedule is not None:
                self._schedule.at(outcome.next_due)
            return outcome.failures

        self._health.step("posts", work)
        memory.give_back()
        systemd.notify(f"STATUS={self._health.status()}")

    def _network(self) -> None:
        """The second thread: whatever of the upstream is due, one poll after another."""
        while not self._stopping.is_set():
            with self._changed:
                if not self._due & set(UPSTREAM):
                    self._changed.wait(LONGEST_PAUSE)
                kinds = self._due & set(UPSTREAM)
                self._due -= kinds
            if kinds and not self._stopping.is_set():
                # What a list names is read in the same poll.
                self._health.step("upstream", partial(self._ask, frozenset(kinds | {"shares"})))

    def _ask(self, kinds: frozenset[str]) -> list[str]:
        self._poll = polling.Canceller()
        options = polling.PollOptions(kinds, wait=LOCK_WAIT)
        outcome = polling.poll(
            self._settings,
            options,
            lambda *_: self._health.beat("upstream"),
            self._poll,
        )
        self._health.polled(outcome)
        memory.give_back()
        if any(origin.changes for origin in outcome.origins):
            self.mark("build")
        return outcome.failures

    def _hubs(self) -> None:
        """The third thread: hubs are told, and a dead one keeps nothing else waiting."""
        if self._settings.feeds.hubs:
            self.mark("hubs")
        while not self._stopping.is_set():
            with self._changed:
                if "hubs" not in self._due:
                    self._changed.wait(LONGEST_PAUSE)
                is_due = "hubs" in self._due
                self._due.discard("hubs")
            now = datetime.datetime.now(datetime.UTC)
            is_due = is_due or (self._hubs_due is not None and self._hubs_due <= now)
            if is_due and not self._stopping.is_set():
                self._tell_hubs()

    def _tell_hubs(self) -> None:
        try:
            summary, self._hubs_due = polling.tell_hubs(self._settings, LOCK_WAIT, self._telling)
        except AggregatorError as error:
            LOGGER.warning("hubs: %s", error)
            return
        for failure in summary.failures:
            LOGGER.warning("%s; it is told later", failure)
        if summary.told:
            LOGGER.debug("hubs told of %d feeds", summary.told)

    def _reload(self) -> None:
        """Read config.yaml again; a broken one is refused and the old one stays."""
        systemd.notify(*systemd.reloading())
        content = _content(self._config)
        try:
            settings = load_settings(self._config)
            if settings.store_path != self._settings.store_path:
                raise ConfigError(f"{self._config}: store: changes with a restart only")
        except ConfigError as error:
            LOGGER.error("not reloaded, the old configuration stays: %s", error)
            self._health.config_error(str(error))
        else:
            self._settings, self._loaded = settings, content
            self._health.config_error(None)
            LOGGER.info("reloaded %s", self._config)
            self._start_watching()
            self.mark(*UPSTREAM)
        systemd.notify("READY=1", f"STATUS={self._health.status()}")

    def _start_watching(self) -> None:
        """Watch the folders and start the schedule of the settings as they are now."""
        if self._watch is not None:
            self._watch.close()
        if self._schedule is not None:
            self._schedule.close()
        folders = [
            (self._settings.base / posts.path, "/" in posts.glob) for posts in self._settings.posts
        ]
        self._watch = FolderWatch(folders, lambda: self.mark("posts"))
        kinds = {"posts": self._settings.schedule.posts}
        if self._settings.lists:
            kinds["lists"] = self._settings.schedule.lists
        if self._settings.subscriptions:
            kinds["subscriptions"] = self._settings.schedule.subscriptions
        kinds["shares"] = self._settings.schedule.shares
        self._schedule = schedule.Schedule(kinds, self._settings.site.timezone, self.mark)
        self.mark(*(kind for kind in kinds if kind in UPSTREAM))

    def _maintain(self) -> list[str]:
        with exclusive(runs.lock_path(self._settings), LOCK_WAIT, WHO):
            runs.tidy(self._settings)
        return []

    def _progress(self, stage: str, done: int, total: int) -> None:
        self._health.beat("posts")
        self._alive()

    def _alive(self) -> None:
        """A sign of life for the watchdog, unless one of the loops is stuck."""
        if self._stopping.is_set():
            raise _StoppedError
        self._health.beat("posts")
        if self._health.stuck() is None:
            systemd.feed_watchdog()

    def _pause(self) -> float:
        seconds = systemd.watchdog_seconds()
        pause = min(LONGEST_PAUSE, seconds / 4) if seconds else LONGEST_PAUSE
        if self._look_again is not None:
            pause = min(pause, max(self._look_again - time.monotonic(), 0.01))
        return pause

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Have the work end at its next step, or end the process if there is none in time.

        An exception from here could be lost in a callback that Python lets raise nothing.
        """
        if not self._stopping.is_set():
            self._stopping.set()
            last = threading.Timer(GOODBYE, self._leave)
            last.daemon = True
            last.start()
        self.mark()

    def _leave(self) -> None:
        """End at once: all that was stored or written is whole at any moment."""
        LOGGER.info("stopped within a step")
        self._health.close()
        os._exit(0)

    def _end(self) -> None:
        """Let go of everything within some seconds; what was begun is abandoned."""
        self._stopping.set()
        systemd.notify("STOPPING=1", "STATUS=stopping")
        self._telling.cancel()
        if self._poll is not None:
            self._poll.cancel()
        if self._watch is not None:
            self._watch.close()
        if self._schedule is not None:
            self._schedule.close()
        self.mark()
        for thread in threading.enumerate():
            if thread.name == "upstream":
                thread.join(GOODBYE / 2)
        self._health.close()
        LOGGER.info("stopped")


def run(config: Path, listen: str | None) -> None:
    """Run the daemon of a configuration until it is told to stop.

    `listen` is ADDRESS:PORT for metrics and health, None for none.  Raises what
    `load_settings` and `Daemon.run` raise.
    """
    settings = load_settings(config)
    health = Health(assembly.origin_names(settings), runs.daemon_state_path(settings))
    if listen is not None:
        from aggregator import listening

        listening.start(listen, health, settings)
        workers.use_one_process()
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
