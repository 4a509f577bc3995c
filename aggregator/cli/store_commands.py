"""Commands about the store itself: store copy."""

from __future__ import annotations

import time
from pathlib import Path

import click

from aggregator.cli.options import example, quiet_option, wait_option
from aggregator.model.terminal import counted, say

# How often a log says how far a copy is, in seconds.
_EVERY = 10.0


@click.group()
def store() -> None:
    """Copy the store between SQLite and PostgreSQL."""


@store.command(
    epilog=example("aggregator store copy var/aggregator.db postgresql://ann@db.example.org/feeds")
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@quiet_option
@wait_option
def copy(source: str, target: str, quiet: bool, wait: float) -> None:
    """Copy a store, whole, from SQLite to PostgreSQL or back.

    FROM and TO are written as `store:` in config.yaml: the path of an SQLite file, or
    postgresql://USER:PASSWORD@HOST/DATABASE.  TO is a file that does not exist yet, or an empty
    database.  FROM is only read; stop `aggregator run` before.  An interrupted copy leaves nothing
    in TO.
    """
    from aggregator.cli import console
    from aggregator.config.paths import is_database, store_file
    from aggregator.model.errors import masked
    from aggregator.store.transfer import copy_store

    addresses: list[Path | str] = []
    for name in (source, target):
        if "://" in name.removeprefix("sqlite:///") and not is_database(name):
            raise click.BadParameter(
                f"{masked(name)}: must be the path of an SQLite file, or start with postgresql://"
            )
        addresses.append(name if is_database(name) else store_file(Path.cwd(), name))
    said = time.monotonic()
    with console.progress(quiet) as report:

        def progress(done: int, total: int) -> None:
            nonlocal said
            report("rows", done, total)
            if not quiet and time.monotonic() >= said + _EVERY:
                said = time.monotonic()
                say(f"{done:,} of {counted(total, 'row')} copied", err=True)

        rows = copy_store(addresses[0], addresses[1], wait, progress)
    if quiet:
        return
    name = masked(str(addresses[1]))
    say(f"{counted(rows, 'row')} copied from {masked(str(addresses[0]))} to {name}")
    say(
        f"next: write `store: {name}` into config.yaml",
    )
    if name != str(addresses[1]):
        say("(replace … by the user name and password)")
