"""`aggregator run`: one daemon of a store on this machine, from its settings to its end."""

from __future__ import annotations

import contextlib
import datetime
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from aggregator import processes
from aggregator.config import paths
from aggregator.config.load import load_settings
from aggregator.config.paths import is_database
from aggregator.config.schema import Settings
from aggregator.daemon import systemd
from aggregator.daemon.daemon import ROLES, WHO, Daemon
from aggregator.daemon.health import Health
from aggregator.model.errors import AggregatorError, ConfigError, LockedError, masked
from aggregator.store.lock import exclusive

NEVER = datetime.timedelta(days=36_500)


def run(config: Path, listen: str | None, roles: frozenset[str] = ROLES) -> None:
    """Run the daemon of a configuration until a signal ends it.

    `listen` is ADDRESS:PORT for the feeds, metrics and health, None for none; `roles` are those
    of this machine among others.  Raises `ConfigError` for roles without others, and what
    `load_settings` and `Daemon.run` raise.
    """
    settings = load_settings(config)
    if roles != ROLES and not is_database(settings.store):
        raise ConfigError("--roles: only for a store in PostgreSQL, which several machines share")
    if is_database(settings.store):
        for library in ("psycopg", "procrastinate"):
            if importlib.util.find_spec(library) is None:
                raise ConfigError(
                    f"store: {masked(settings.store)}: several machines need {library}: run "
                    "pip install 'jekyll-feed-aggregator[cluster]', or sh bootstrap.sh cluster"
                )
    interval = settings.schedule.posts if "posts" in roles else NEVER
    health = Health(paths.daemon_state_path(settings), interval)
    try:
        with _only_daemon(settings):
            if listen is not None:
                from aggregator.daemon import endpoints

                endpoints.start(listen, health, settings)
                processes.use_one_process()
            Daemon(config, settings, health, roles).run()
    except AggregatorError:
        systemd.notify("STOPPING=1")
        raise


@contextlib.contextmanager
def _only_daemon(settings: Settings) -> Iterator[None]:
    """Hold the lock of this machine's daemon.

    Raises `LockedError`, with the other's process id, if a daemon uses the store here already.
    """
    path = paths.daemon_lock_path(settings)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(exclusive(path, 0, WHO))
        except LockedError as error:
            holder = path.read_text("utf-8", "replace").strip().removesuffix(f" ({WHO})")
            raise LockedError(
                f"{settings.store_path}: another `{WHO}` ({holder or 'starting'}) "
                "already serves this store"
            ) from error
        yield
