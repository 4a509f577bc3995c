"""What commands share: options, exit statuses, and messages on standard error."""

from __future__ import annotations

from pathlib import Path

import click

from aggregator.model.terminal import say

FAILED, USAGE, LOCKED, INTERRUPTED = 1, 2, 75, 130

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="AGGREGATOR_CONFIG",
    default="config.yaml",
    show_default=True,
    show_envvar=True,
    help="The configuration file.",
)
verbose_option = click.option("-v", "--verbose", is_flag=True, help="Print more.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
wait_option = click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    default=60,
    show_default=True,
    help="How long to wait for another run to end.",
)


def example(text: str) -> str:
    """Return an epilog for `--help` that keeps its lines."""
    return "\b\nExample:\n  " + text


def say_error(message: str) -> None:
    """Print a message on standard error."""
    say(f"aggregator: {message}", err=True)
