"""Whether a configuration is that of the machines that share its store."""

from __future__ import annotations

import contextlib

from aggregator.config.agreement import ORDER, section_digests
from aggregator.config.paths import is_database
from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError
from aggregator.store.machines import Machines


def check(settings: Settings) -> None:
    """Raise `ConfigError` if machines with another configuration work on the store.

    Nothing is checked if there is no store yet, or none that machines can share.
    """
    if is_database(settings.store):
        with contextlib.closing(Machines(str(settings.store_address))) as machines:
            if machines.exist():
                check_with(machines, settings, "")


def check_with(machines: Machines, settings: Settings, own: str) -> None:
    """Raise `ConfigError` if machines other than `own` have another configuration.

    Without others, that of `own` is what all must agree in from now on.
    """
    others = [found.name for found in machines.all() if found.is_alive and found.name != own]
    if not others and not own:
        return
    sections = machines.agree(section_digests(settings), bool(others))
    if sections:
        # A section that only some have changes the order, too.
        sections = [section for section in sections if section != ORDER] or sections
        raise ConfigError(
            f"config.yaml: {', '.join(sections)}: not as the other machines have it "
            f"({', '.join(others)}). Give all the same configuration; to change it, stop them first"
        )
