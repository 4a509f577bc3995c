"""Whether a machine may work with the others on a store, and that it does."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator

from aggregator import __version__
from aggregator.config.paths import DatabaseLock
from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError
from aggregator.pipeline import agreed, host_polling
from aggregator.store.lock import exclusive
from aggregator.store.machines import Machines
from aggregator.store.psycopg_driver import host_of_process
from aggregator.workers.jobs import BUILD


def join(settings: Settings, name: str, roles: Collection[str]) -> None:
    """Check that a machine may work with the others, and say that it does.

    Raises `ConfigError` if their configurations disagree, or if another one publishes in another
    folder.
    """
    host_polling.prepare(settings)
    # One after the other, so that two that disagree do not both find nobody.
    lock = DatabaseLock(str(settings.store_address), "members")
    with (
        exclusive(lock, host_polling.LOCK_WAIT, host_polling.WHO),
        _machines(settings) as machines,
    ):
        machines.give_up_silent(name)
        agreed.check_with(machines, settings, name)
        place = _place(settings, name)
        if BUILD in roles:
            for other in machines.all():
                if other.name != name and BUILD in other.roles and other.place != place:
                    raise ConfigError(
                        f"config.yaml: feeds: directory: {other.name} publishes in {other.place} "
                        "already, and only one machine can publish in a folder: leave the role "
                        "build to it (--roles), or publish in object storage"
                    )
        machines.join(name, sorted(roles), place, __version__)


def check(settings: Settings, name: str) -> None:
    """Raise `ConfigError` if a machine's configuration is not that of the others."""
    with _machines(settings) as machines:
        agreed.check_with(machines, settings, name)


def beat(settings: Settings, name: str) -> None:
    """Say that a machine is alive."""
    with _machines(settings) as machines:
        machines.beat(name)


def _place(settings: Settings, name: str) -> str:
    """Return where a machine publishes: in object storage, or in a folder of its host."""
    address = settings.feeds_address
    if isinstance(address, str):
        return address
    return f"{host_of_process(name)}:{address.absolute()}"


@contextlib.contextmanager
def _machines(settings: Settings) -> Iterator[Machines]:
    with contextlib.closing(Machines(str(settings.store_address))) as machines:
        yield machines
