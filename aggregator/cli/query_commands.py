"""Commands that look: at the configuration, and at what the store knows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aggregator.cli.options import FAILED, complain, example, json_option, with_config
from aggregator.model.terminal import counted, say, say_json

if TYPE_CHECKING:
    from aggregator.config.schema import Settings


def _checked(kind: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """A callback that refuses what config.yaml may not have for a key of `site:`."""

    def callback(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is None:
            return None
        from pydantic import TypeAdapter, ValidationError

        from aggregator.config import values

        try:
            return str(TypeAdapter(getattr(values, kind)).validate_python(value))
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise click.BadParameter(reason) from error

    return callback


@click.command(
    epilog=example(
        "aggregator init news --title 我的新闻 --url https://news.example.com/ "
        "--tag news.example.com,2021"
    )
)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--title", callback=_checked("Title"), help="The name of the combined feed.")
@click.option("--url", callback=_checked("FolderUrl"), help="The site's address.")
@click.option(
    "--tag",
    metavar="DOMAIN,YEAR",
    callback=_checked("Tag"),
    help="A domain of yours and a year in which it was yours: part of every entry's id for good.",
)
@click.option("--language", help="The language of the feeds, like zh-CN.")
@click.option(
    "--posts",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of posts, if there is one already.",
)
def init(
    directory: Path,
    title: str | None,
    url: str | None,
    tag: str | None,
    language: str | None,
    posts: Path | None,
) -> None:
    """Write a config.yaml to start from, and an empty posts folder."""
    from aggregator.cli.init import Known, write_starter

    for path in write_starter(directory, Known(title, url, tag, language, posts)):
        say(f"wrote {path}")
    config = directory / "config.yaml"
    if None in (title, url, tag):
        say(f"next: fill in title, url and tag in {config}")
    say(f"then: aggregator check --config {config}")


@click.command(epilog=example("aggregator check --config site/config.yaml"))
@with_config
@json_option
@click.option("--feeds", is_flag=True, help="Check the published files instead.")
def check(config: Path, verbose: bool, quiet: bool, as_json: bool, feeds: bool) -> None:
    """Check the configuration, and say what it leads to.

    With --feeds, say what a strict validator would say of the published files, and which
    ids have changed since the last check.
    """
    from aggregator.config.load import load_settings

    settings = load_settings(config)
    if feeds:
        _check_feeds(settings, quiet=quiet, as_json=as_json)
        return
    counts, warnings, missing = _looked_at(settings)
    if as_json:
        say_json(
            {
                "config": str(config),
                "store": str(settings.store_path),
                "feeds": str(settings.feeds_directory),
                "posts": [str(settings.base / posts.path) for posts in settings.posts],
                "counts": counts,
                "warnings": warnings,
                "missing_folders": missing,
            }
        )
    elif not quiet:
        say(f"store: {settings.store_path}")
        say(f"feeds: {settings.feeds_directory} as {settings.feeds.url}")
        for posts, count in zip(settings.posts, counts, strict=True):
            if count is not None:
                match = "matches" if count == 1 else "match"
                place = f"{settings.base / posts.path}/{posts.glob}"
                say(f"posts: {counted(count, 'post')} {match} {place}")
        if verbose:
            whole = settings.model_dump_json(indent=2, by_alias=True, exclude={"base"})
            for line in whole.splitlines():
                say(line)
        if not (warnings or missing):
            say(f"{config}: fine")
    if not as_json:
        for warning in warnings:
            complain(f"{config}: {warning}")
    for path in missing:
        complain(f"{settings.base / path}: no such folder (posts: path)")
    if missing:
        sys.exit(FAILED)


def _looked_at(settings: Settings) -> tuple[list[int | None], list[str], list[str]]:
    """How many posts each folder has, what an owner should know, and folders that are not there."""
    from aggregator.config.values import is_nobodys
    from aggregator.model.errors import OriginError
    from aggregator.origins.posts.scan import list_posts

    counts: list[int | None] = []
    warnings: list[str] = []
    missing: list[str] = []
    if is_nobodys(settings.site.tag):
        domain = settings.site.tag.partition(",")[0]
        reason = f"{domain} is set aside for examples; ids need a domain that is yours"
        warnings.append(f"site.tag: {reason}, and never change")
    for posts in settings.posts:
        folder = settings.base / posts.path
        counts.append(None)
        if not folder.is_dir():
            missing.append(posts.path)
            continue
        try:
            counts[-1] = len(list_posts(folder, posts.glob))
        except OriginError as error:
            warnings.append(f"posts: {error}")
            continue
        if not counts[-1]:
            warnings.append(f"posts: no post matches {folder}/{posts.glob}")
    return counts, warnings, missing


def _check_feeds(settings: Settings, *, quiet: bool, as_json: bool) -> None:
    import datetime

    from aggregator.cli.check_feeds import check_feeds

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
    from aggregator.cli import console, queries

    found = queries.status(_settings(config))
    if as_json:
        say_json(found)
    else:
        console.print_status(found)


@click.command(epilog=example("aggregator problems"))
@with_config
@json_option
def problems(config: Path, verbose: bool, quiet: bool, as_json: bool) -> None:
    """List what could not be used, with file, line and reason."""
    from aggregator.cli import queries

    found = queries.problems(_settings(config))
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
    from aggregator.cli import console, queries

    found = queries.sources(_settings(config))
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
    from aggregator.cli import console, queries

    found = queries.show(_settings(config), code)
    if as_json:
        say_json(found)
    else:
        console.print_article(found, verbose=verbose)


def _settings(config: Path) -> Settings:
    from aggregator.config.load import load_settings

    return load_settings(config)
