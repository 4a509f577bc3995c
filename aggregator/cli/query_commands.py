"""Commands that show what the store holds: status, problems, sources, show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aggregator.cli.options import (
    config_option,
    example,
    json_option,
    quiet_option,
    verbose_option,
)
from aggregator.model.terminal import say, say_json

if TYPE_CHECKING:
    from aggregator.cli.console import Clock
    from aggregator.config.schema import Settings


@click.command(epilog=example("aggregator status --json"))
@config_option
@verbose_option
@json_option
def status(config: Path, verbose: bool, as_json: bool) -> None:
    """Show the store, the origins and the published feeds.

    With --verbose, count copies and superseded texts, too.
    """
    from aggregator.cli import queries, views

    settings = _settings(config)
    found = queries.status(settings)
    if as_json:
        say_json(found)
    else:
        views.print_status(found, _clock(settings), verbose=verbose)


@click.command(epilog=example("aggregator problems"))
@config_option
@verbose_option
@quiet_option
@json_option
def problems(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """List posts and pages that could not be used, and why.

    With --verbose, say since when.
    """
    from aggregator.cli import queries

    settings = _settings(config)
    found = queries.problems(settings)
    if as_json:
        say_json(found)
        return
    clock = _clock(settings)
    for item in found:
        line = f":{item['line']}" if item["line"] is not None else ""
        since = f"  (since {clock.show(item['since'])})" if verbose else ""
        say(f"{item['file']}{line}: {item['reason']}{since}")
    if not found and not quiet:
        say("no problems")


@click.command(epilog=example("aggregator sources"))
@config_option
@json_option
def sources(config: Path, as_json: bool) -> None:
    """List the sources: name, number of articles, feed."""
    from aggregator.cli import queries, views

    settings = _settings(config)
    found = queries.sources(settings)
    if as_json:
        say_json(found)
    else:
        views.print_sources(found, _clock(settings))


@click.command(epilog=example("aggregator show NW202112162216485766"))
@click.argument("code")
@config_option
@verbose_option
@json_option
def show(code: str, config: Path, verbose: bool, as_json: bool) -> None:
    """Show one article: its copies, revisions and feeds.

    With --verbose, show the changed lines in full.
    """
    from aggregator.cli import queries, views

    settings = _settings(config)
    found = queries.show(settings, code)
    if as_json:
        say_json(found)
    else:
        views.print_article(found, _clock(settings), verbose=verbose)


def _settings(config: Path) -> Settings:
    from aggregator.config.load import load_settings

    return load_settings(config)


def _clock(settings: Settings) -> Clock:
    from aggregator.cli.console import Clock

    return Clock.of(settings.site.timezone)
