"""Commands that show what the store holds: status, problems, sources, show."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.options import (
    config_option,
    example,
    json_option,
    quiet_option,
    verbose_option,
)
from aggregator.model.terminal import say_json

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
    from aggregator.cli import queries, status_view

    _print(queries.status, config, as_json, partial(status_view.print_status, verbose=verbose))


@click.command(epilog=example("aggregator problems"))
@config_option
@verbose_option
@quiet_option
@json_option
def problems(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """List posts and pages that could not be used, and why.

    With --verbose, say since when.
    """
    from aggregator.cli import queries, views

    view = partial(views.print_problems, verbose=verbose, quiet=quiet)
    _print(queries.problems, config, as_json, view)


@click.command(epilog=example("aggregator sources"))
@config_option
@json_option
def sources(config: Path, as_json: bool) -> None:
    """List the sources: name, number of articles, feed."""
    from aggregator.cli import queries, views

    _print(queries.sources, config, as_json, views.print_sources)


@click.command(epilog=example("aggregator show NW202112162216485766"))
@click.argument("code")
@config_option
@verbose_option
@json_option
def show(code: str, config: Path, verbose: bool, as_json: bool) -> None:
    """Show one article: its copies, revisions and feeds.

    With --verbose, show the changed lines in full.
    """
    from aggregator.cli import article_query, views

    view = partial(views.print_article, verbose=verbose)
    _print(partial(article_query.show, code=code), config, as_json, view)


def _print(
    query: Callable[[Settings], Any],
    config: Path,
    as_json: bool,
    view: Callable[[Any, Clock], None],
) -> None:
    """Print what a query finds, as JSON or as the view shows it."""
    from aggregator.cli.console import Clock
    from aggregator.config.load import load_settings

    settings = load_settings(config)
    found = query(settings)
    if as_json:
        say_json(found)
    else:
        view(found, Clock.of(settings.site.timezone))
