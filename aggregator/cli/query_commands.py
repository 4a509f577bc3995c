"""Commands that show what the store holds: status, problems, sources, show, search, similar."""

from __future__ import annotations

import datetime
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


# `-word` is no option, and `-h` may begin such a word.
@click.command(
    epilog=example("aggregator search 港口 '\"interest rate\"' -Fed --since 7d"),
    context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]},
)
@click.argument("words", nargs=-1, required=True)
@config_option
@json_option
@click.option("--source", metavar="SLUG", help="Only articles of this source.")
@click.option(
    "--since",
    metavar="DATE|DURATION",
    help="Only articles published since a date, such as 2022-01-27, or within a time, such as 48h.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many articles to show at most, the newest.",
)
def search(
    words: tuple[str, ...],
    config: Path,
    as_json: bool,
    source: str | None,
    since: str | None,
    limit: int,
) -> None:
    """Search all articles that were ever kept.

    All WORDS must be in an article, wherever: in its title, its text, or the names of its author
    and source, also as a part of a longer word.  "Words in quotes" stand together, and -WORD
    leaves out the articles with it.
    """
    from aggregator.cli import found_articles, views

    query = partial(
        found_articles.search, words=" ".join(words), source=source, since=since, limit=limit
    )
    _print(query, config, as_json, views.print_found)


@click.command(epilog=example("aggregator similar --since 2026-01-31"))
@click.option(
    "--since",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only stories with an article published on this day or later.",
)
@config_option
@json_option
def similar(since: datetime.datetime | None, config: Path, as_json: bool) -> None:
    """List the stories that several outlets report.

    The newest story comes first.
    """
    from aggregator.cli import similar_query, views

    query = partial(similar_query.groups, since=since)
    _print(query, config, as_json, views.print_groups)


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
