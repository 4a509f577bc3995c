"""Commands that poll, build and serve: poll, build-feeds, run, serve."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aggregator.cli.options import (
    FAILED,
    config_option,
    example,
    json_option,
    quiet_option,
    say_error,
    verbose_option,
    wait_option,
)
from aggregator.model.kinds import ORIGIN_KINDS
from aggregator.model.terminal import counted, say, say_json

if TYPE_CHECKING:
    from aggregator.pipeline.building import BuildOutcome
    from aggregator.pipeline.polling import PollOutcome


@click.command(epilog=example("aggregator poll --only shares --all"))
@click.argument("urls", nargs=-1, metavar="[URL]...")
@config_option
@verbose_option
@quiet_option
@json_option
@click.option(
    "--only",
    type=click.Choice([*ORIGIN_KINDS, "hubs"]),
    multiple=True,
    help="Poll only this kind of origin; can be given more than once.",
)
@click.option(
    "--due/--all",
    default=True,
    show_default="--due",
    help="Request what is due by its schedule, or everything.",
)
@click.option("--dry-run", is_flag=True, help="Only print what would be requested.")
@wait_option
def poll(
    urls: tuple[str, ...],
    config: Path,
    verbose: bool,
    quiet: bool,
    as_json: bool,
    only: tuple[str, ...],
    due: bool,
    dry_run: bool,
    wait: float,
) -> None:
    """Fetch new and corrected articles into the store.

    They come from the posts folders, share pages, lists and subscriptions; with URLs, from
    these alone, whether due or not.  Then run `build-feeds` to publish them.
    """
    from aggregator.cli import console, views
    from aggregator.pipeline import polling
    from aggregator.pipeline.shared_lists import with_settings

    options = polling.PollOptions(
        kinds=frozenset(only or polling.KINDS),
        everything=not due,
        urls=urls,
        dry_run=dry_run,
        wait=wait,
    )
    with console.progress(quiet or as_json) as report:
        outcome = with_settings(config, lambda settings: polling.poll(settings, options, report))
        if outcome.has_new_lists:
            only_new = polling.PollOptions(kinds=frozenset(["subscriptions"]), wait=wait)
            outcome.add(
                with_settings(config, lambda settings: polling.poll(settings, only_new, report))
            )
    lines = views.poll_lines(outcome, verbose=verbose, dry_run=dry_run)
    _finish(outcome, views.poll_values(outcome) if as_json else None, () if quiet else lines)


@click.command(
    "build-feeds",
    epilog=example("aggregator build-feeds --source beijingshangbao --dry-run"),
)
@config_option
@verbose_option
@quiet_option
@json_option
@click.option("--no-poll", is_flag=True, help="Build from the store, without reading the posts.")
@click.option("--full", is_flag=True, help="Read every post again, and rebuild every feed.")
@click.option("--source", metavar="SLUG", help="Build only the feed of this source.")
@click.option("--dry-run", is_flag=True, help="Only print what would be written.")
@click.option("--allow-empty", is_flag=True, help="Publish even if no post or article is left.")
@click.option(
    "--settle",
    metavar="SECONDS",
    type=click.FloatRange(0, 60),
    default=0,
    help="First wait until no post has changed for this long.",
)
@wait_option
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
    """Read the posts, then write the feeds that changed."""
    from aggregator.build import unchanged

    if not (no_poll or full or source or dry_run or settle):
        current = unchanged.check(config)
        if current is not None:
            _report_current(current, quiet=quiet, as_json=as_json)
            return
    from aggregator.cli import console, views
    from aggregator.config.load import load_settings
    from aggregator.pipeline import building
    from aggregator.pipeline.shared_lists import with_settings

    if settle:
        building.wait_until_quiet(load_settings(config), settle)
    options = building.BuildOptions(
        poll=not no_poll,
        full=full,
        source=source,
        dry_run=dry_run,
        allow_empty=allow_empty,
        wait=wait,
    )
    with console.progress(quiet or as_json) as report:
        outcome = with_settings(
            config, lambda settings: building.build_feeds(settings, config, options, report)
        )
    lines = views.build_lines(outcome, verbose=verbose, dry_run=dry_run)
    _finish(outcome, views.build_values(outcome) if as_json else None, () if quiet else lines)


@click.command(epilog=example("aggregator run --listen 127.0.0.1:8611"))
@config_option
@verbose_option
@quiet_option
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    help="Serve the feeds, /metrics and /health here.  PORT alone is 127.0.0.1:PORT.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The format of log lines; as text they have level prefixes under journald.",
)
@click.option(
    "--roles",
    metavar="ROLES",
    default="posts,upstream,build",
    show_default=True,
    help="What this machine does, separated by commas: posts reads the posts folders, upstream "
    "requests pages and feeds, build writes feeds.  Needs a store in PostgreSQL.",
)
def run(
    config: Path,
    verbose: bool,
    quiet: bool,
    listen: str | None,
    log_format: str,
    roles: str,
) -> None:
    """Poll and build as a service.

    Polls on a schedule, and immediately when a post arrives.  SIGTERM and SIGINT stop it; SIGHUP
    loads the configuration again.
    """
    import logging
    import signal

    # It would end a process that has no handler yet: one that comes now waits for the daemon's.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from aggregator.daemon import daemon, service
    from aggregator.model import logs

    level = logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO
    logs.set_up("json" if log_format == "json" else "text", level)
    chosen = frozenset(role.strip() for role in roles.split(",") if role.strip())
    if not chosen or chosen - daemon.ROLES:
        raise click.BadParameter(
            f"{roles!r}: takes {', '.join(sorted(daemon.ROLES))}, separated by commas",
            param_hint="--roles",
        )
    service.run(config, listen, chosen)


@click.command(epilog=example("aggregator serve --listen 127.0.0.1:8610"))
@config_option
@quiet_option
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    default="127.0.0.1:8610",
    show_default=True,
    help="Where to listen.  PORT alone is 127.0.0.1:PORT; 0.0.0.0:PORT is open to everyone.",
)
def serve(config: Path, quiet: bool, listen: str) -> None:
    """Serve the feeds folder, and searches, over HTTP.

    Feeds in object storage are served by the storage.
    SIGTERM and SIGINT stop it.
    """
    from aggregator.config.load import load_settings
    from aggregator.serve import server

    def ready(url: str) -> None:
        if not quiet:
            say(f"serving the feeds at {url}", err=True)

    server.run(load_settings(config), listen, ready)


def _finish(
    outcome: BuildOutcome | PollOutcome, values: dict[str, Any] | None, lines: Iterable[str]
) -> None:
    """Print what a run did, as JSON if there are values; exit with 1 if something failed."""
    for message in (*outcome.notices, *outcome.failures):
        say_error(message)
    if values is not None:
        say_json(values)
    else:
        for line in lines:
            say(line)
    if outcome.failures:
        sys.exit(FAILED)


def _report_current(current: dict[str, Any], *, quiet: bool, as_json: bool) -> None:
    if as_json:
        from aggregator.model.summaries import ChangeCounts

        changes = ChangeCounts().by_kind()
        say_json(
            {
                **current,
                "read": 0,
                "drafts": 0,
                **changes,
                "written": [],
                "documents": 0,
                "pages": 0,
                "failures": [],
            }
        )
    elif not quiet:
        say(
            f"nothing changed: {counted(current['articles'], 'article')}, "
            f"{counted(current['feeds'], 'feed')} current"
        )
        if current["problems"]:
            say(f"{counted(current['problems'], 'problem')}: see aggregator problems")
