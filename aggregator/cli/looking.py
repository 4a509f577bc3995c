"""Commands that look: at the configuration, and at what the store knows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aggregator.cli.options import FAILED, complain, example, json_option, with_config
from aggregator.terminal import counted, say, say_json

if TYPE_CHECKING:
    from aggregator.settings import Settings


@click.command(epilog=example("aggregator init news"))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
def init(directory: Path) -> None:
    """Write a config.yaml to start from, and an empty posts folder."""
    from aggregator.starter import write_starter

    for path in write_starter(directory):
        say(f"wrote {path}")
    say("next: edit site: in config.yaml, put posts into posts/, run aggregator build-feeds")


@click.command(epilog=example("aggregator check --config site/config.yaml"))
@with_config
@json_option
@click.option("--feeds", is_flag=True, help="Check the published files instead.")
def check(config: Path, verbose: bool, quiet: bool, as_json: bool, feeds: bool) -> None:
    """Check the configuration, and say what it leads to.

    With --feeds, say what a strict validator would say of the published files, and which
    ids have changed since the last check.
    """
    from aggregator.config import load_settings

    settings = load_settings(config)
    if feeds:
        _check_feeds(settings, quiet=quiet, as_json=as_json)
        return
    missing = [posts.path for posts in settings.posts if not (settings.base / posts.path).is_dir()]
    if as_json:
        say_json(
            {
                "config": str(config),
                "store": str(settings.store_path),
                "feeds": str(settings.feeds_directory),
                "posts": [str(settings.base / posts.path) for posts in settings.posts],
                "missing_folders": missing,
            }
        )
    elif not quiet:
        say(f"{config}: fine")
        say(f"  store  {settings.store_path}")
        say(f"  feeds  {settings.feeds_directory}  as  {settings.feeds.url}")
        for posts in settings.posts:
            say(f"  posts  {settings.base / posts.path}/{posts.glob}")
        if verbose:
            whole = settings.model_dump_json(indent=2, by_alias=True, exclude={"base"})
            for line in whole.splitlines():
                say(line)
    for path in missing:
        complain(f"{settings.base / path}: no such folder (posts: path)")
    if missing:
        sys.exit(FAILED)


def _check_feeds(settings: Settings, *, quiet: bool, as_json: bool) -> None:
    import datetime

    from aggregator.feed_check import check_feeds

    count, faults = check_feeds(settings, datetime.datetime.now(datetime.UTC))
    if as_json:
        say_json({"files": count, "faults": [fault._asdict() for fault in faults]})
    else:
        for path, line, reason in faults:
            place = f"{settings.feeds_directory / path}{f':{line}' if line is not None else ''}"
            say(f"{place}: {reason}")
        if not quiet:
            say(f"{counted(count, 'file')}, {counted(len(faults), 'fault')}")
    if faults:
        sys.exit(FAILED)


@click.command(epilog=example("aggregator status --json"))
@with_config
@json_option
def status(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """Show what the store holds and what is published."""
    from aggregator import console, inspection

    found = inspection.status(_settings(config))
    if as_json:
        say_json(found)
    else:
        console.print_status(found)


@click.command(epilog=example("aggregator problems"))
@with_config
@json_option
def problems(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """List what could not be used, with file, line and reason."""
    from aggregator import inspection

    found = inspection.problems(_settings(config))
    if as_json:
        say_json(found)
        return
    for item in found:
        line = f":{item['line']}" if item["line"] is not None else ""
        since = f"  (since {item['since']})" if verbose else ""
        say(f"{item['file']}{line}: {item['reason']}{since}")
    if not found and not quiet:
        say("no problems")


@click.command(epilog=example("aggregator sources"))
@with_config
@json_option
def sources(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """List the sources: name, slug, number of articles, feed."""
    from aggregator import console, inspection

    found = inspection.sources(_settings(config))
    if as_json:
        say_json(found)
    else:
        console.print_sources(found)


@click.command(epilog=example("aggregator show NW202112162216485766"))
@click.argument("code")
@with_config
@json_option
def show(code: str, config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """Show all that is known of an article: its copies, revisions and feeds."""
    from aggregator import console, inspection

    found = inspection.show(_settings(config), code)
    if as_json:
        say_json(found)
    else:
        console.print_article(found, verbose=verbose)


def _settings(config: Path) -> Settings:
    from aggregator.config import load_settings

    return load_settings(config)
