"""The command line: arguments in, exit status out (design §8 and §10).

Only what a command needs is imported, when it needs it: a run that finds nothing to do
loads neither the store nor a renderer.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator import __version__
from aggregator.errors import AggregatorError, ConfigError, LockedError, UnknownSourceError

if TYPE_CHECKING:
    from aggregator.settings import Settings

FAILED, USAGE, LOCKED = 1, 2, 75
DEFAULT_CONFIG = "config.yaml"


def main() -> None:
    """Run the command line; every foreseeable mistake ends in one message."""
    # A run makes millions of short-lived values and hardly a cycle among them.
    gc.set_threshold(100_000, 50, 100)
    try:
        cli.main(prog_name="aggregator", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except click.Abort:
        _complain("interrupted; nothing is half-written, run it again")
        sys.exit(130)
    except (ConfigError, UnknownSourceError) as error:
        _complain(str(error))
        sys.exit(USAGE)
    except LockedError as error:
        _complain(str(error))
        sys.exit(LOCKED)
    except AggregatorError as error:
        _complain(str(error))
        sys.exit(FAILED)
    except BrokenPipeError:
        # The reader of our output has left, as `head` does.
        _drop_output()
        sys.exit(FAILED)
    except OSError as error:
        if error.filename is not None:
            raise
        _complain(f"the output cannot be written: {error.strerror}")
        _drop_output()
        sys.exit(FAILED)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aggregator")
def cli() -> None:
    """Keep every article of a folder of posts once, and publish Atom feeds of them."""


def _with_config(command: Callable[..., None]) -> Callable[..., None]:
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


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def _example(text: str) -> str:
    """An epilog that keeps its lines."""
    return "\b\nExample:\n  " + text


@cli.command(epilog=_example("aggregator init news"))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
def init(directory: Path) -> None:
    """Write a config.yaml to start from, and an empty posts folder."""
    from aggregator.starter import write_starter

    for path in write_starter(directory):
        click.echo(f"wrote {path}")
    click.echo("next: edit site: in config.yaml, put posts into posts/, run aggregator build-feeds")


@cli.command(epilog=_example("aggregator check --config site/config.yaml"))
@_with_config
@_json_option
def check(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """Check the configuration, and say what it leads to."""
    from aggregator.config import load_settings

    settings = load_settings(config)
    missing = [posts.path for posts in settings.posts if not (settings.base / posts.path).is_dir()]
    if as_json:
        _print_json(
            {
                "config": str(config),
                "store": str(settings.store_path),
                "feeds": str(settings.feeds_directory),
                "posts": [str(settings.base / posts.path) for posts in settings.posts],
                "missing_folders": missing,
                "not_yet_supported": settings.pending(),
            }
        )
    elif not quiet:
        click.echo(f"{config}: fine")
        click.echo(f"  store  {settings.store_path}")
        click.echo(f"  feeds  {settings.feeds_directory}  as  {settings.feeds.url}")
        for posts in settings.posts:
            click.echo(f"  posts  {settings.base / posts.path}/{posts.glob}")
        for note in settings.pending():
            click.echo(f"  not in this version yet: {note}")
        if verbose:
            click.echo(settings.model_dump_json(indent=2, by_alias=True, exclude={"base"}))
    for path in missing:
        _complain(f"{settings.base / path}: no such folder (posts: path)")
    if missing:
        sys.exit(FAILED)


@cli.command(
    "build-feeds",
    epilog=_example("aggregator build-feeds --source beijingshangbao --dry-run"),
)
@_with_config
@_json_option
@click.option("--no-poll", is_flag=True, help="Build from the store; do not look at the posts.")
@click.option("--full", is_flag=True, help="Read every post and make every feed anew.")
@click.option("--source", metavar="SLUG", help="Build the feed of this source only.")
@click.option("--dry-run", is_flag=True, help="Say what would be written; change nothing.")
@click.option("--allow-empty", is_flag=True, help="Accept that no post or article is left.")
@click.option(
    "--settle",
    metavar="SECONDS",
    type=click.FloatRange(0, 60),
    default=0,
    help="First wait until no post is younger than this.",
)
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    default=60,
    show_default=True,
    help="How long to wait for another run to end.",
)
def build_feeds(
    config: Path,
    verbose: bool,
    quiet: bool,
    as_json: bool,
    no_poll: bool,
    full: bool,
    source: str | None,
    dry_run: bool,
    allow_empty: bool,
    settle: float,
    wait: float,
) -> None:
    """Poll the posts folders, then write the feeds that changed."""
    from aggregator import standstill

    if not (no_poll or full or source or dry_run or settle):
        current = standstill.check(config)
        if current is not None:
            _report_current(current, quiet=quiet, as_json=as_json)
            return
    from aggregator import console, runs
    from aggregator.config import load_settings

    settings = load_settings(config)
    if settle:
        runs.wait_until_quiet(settings, settle)
    options = runs.Options(
        poll=not no_poll,
        full=full,
        source=source,
        dry_run=dry_run,
        allow_empty=allow_empty,
        wait=wait,
    )
    with console.progress(quiet or as_json) as report:
        outcome = runs.build_feeds(settings, config, options, report)
    for notice in outcome.notices:
        _complain(notice)
    for note in settings.pending():
        _complain(f"not in this version yet: {note}")
    for failure in outcome.failures:
        _complain(failure)
    if as_json:
        _print_json(console.outcome_values(outcome))
    elif not quiet:
        for line in console.outcome_lines(outcome, verbose=verbose, dry_run=dry_run):
            click.echo(line)
    if outcome.failures:
        sys.exit(FAILED)


@cli.command(epilog=_example("aggregator status --json"))
@_with_config
@_json_option
def status(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """Show what the store holds and what is published."""
    from aggregator import console, inspection

    found = inspection.status(_settings(config))
    if as_json:
        _print_json(found)
    else:
        console.print_status(found)


@cli.command(epilog=_example("aggregator problems"))
@_with_config
@_json_option
def problems(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """List what could not be used, with file, line and reason."""
    from aggregator import inspection

    found = inspection.problems(_settings(config))
    if as_json:
        _print_json(found)
        return
    for item in found:
        line = f":{item['line']}" if item["line"] is not None else ""
        since = f"  (since {item['since']})" if verbose else ""
        click.echo(f"{_printable(item['file'])}{line}: {item['reason']}{since}")
    if not found and not quiet:
        click.echo("no problems")


@cli.command(epilog=_example("aggregator sources"))
@_with_config
@_json_option
def sources(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """List the sources: name, slug, number of articles, feed."""
    from aggregator import console, inspection

    found = inspection.sources(_settings(config))
    if as_json:
        _print_json(found)
    else:
        console.print_sources(found)


@cli.command(epilog=_example("aggregator show NW202112162216485766"))
@click.argument("code")
@_with_config
@_json_option
def show(code: str, config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """Show all that is known of an article: its copies, revisions and feeds."""
    from aggregator import console, inspection

    found = inspection.show(_settings(config), code)
    if as_json:
        _print_json(found)
    else:
        console.print_article(found, verbose=verbose)


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that it fails no second time."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _settings(config: Path) -> Settings:
    from aggregator.config import load_settings

    return load_settings(config)


def _report_current(current: dict[str, Any], *, quiet: bool, as_json: bool) -> None:
    if as_json:
        counts = dict.fromkeys(("read", "new", "revised", "restated", "removed"), 0)
        _print_json({**current, **counts, "written": [], "failures": []})
    elif not quiet:
        click.echo(
            f"nothing changed: {current['articles']:,} articles, {current['feeds']:,} feeds current"
        )
        if current["problems"]:
            click.echo(f"{current['problems']:,} problems: see aggregator problems")


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _printable(text: str) -> str:
    """A path on one line, whatever is in it."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _complain(message: str) -> None:
    click.echo(f"aggregator: {message}", err=True)
