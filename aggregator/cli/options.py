"""What commands have in common: options, and how they speak."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import click

from aggregator.model.terminal import say

DEFAULT_CONFIG = "config.yaml"
FAILED, USAGE, LOCKED = 1, 2, 75


def with_config(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all commands have."""

    @click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="AGGREGATOR_CONFIG",
        default=DEFAULT_CONFIG,
        show_default=True,
        help="The configuration file.  [env: AGGREGATOR_CONFIG]",
    )
    @click.option("-v", "--verbose", is_flag=True, help="Say more.")
    @click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
    @functools.wraps(command)
    def wrapped(*args: object, **kwargs: object) -> None:
        command(*args, **kwargs)

    return wrapped


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")

wait_option = click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    default=60,
    show_default=True,
    help="How long to wait for another run to end.",
)


def example(text: str) -> str:
    """An epilog that keeps its lines."""
    return "\b\nExample:\n  " + text


def complain_all(notices: list[str], failures: list[str]) -> None:
    """Say what a run has to say beside its summary, on standard error."""
    for message in (*notices, *failures):
        complain(message)


def complain(message: str) -> None:
    """Say one thing on standard error."""
    say(f"aggregator: {message}", err=True)
