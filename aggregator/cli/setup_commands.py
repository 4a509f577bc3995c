"""Commands that set a site up: init, check, systemd."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aggregator.cli.options import (
    FAILED,
    config_option,
    example,
    json_option,
    quiet_option,
    say_error,
    verbose_option,
)
from aggregator.cli.systemd import UNITS
from aggregator.cli.views import no_posts
from aggregator.model.terminal import counted, say, say_json

if TYPE_CHECKING:
    from aggregator.config.schema import Settings
    from aggregator.origins.posts.listing import Listing


def _valid(kind: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return a callback that accepts what `config.values` accepts as that kind of value."""

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
@click.option("--title", callback=_valid("Title"), help="The title of the combined feed.")
@click.option("--url", callback=_valid("FolderUrl"), help="The site's address.")
@click.option(
    "--tag",
    metavar="DOMAIN,YEAR",
    callback=_valid("Tag"),
    help="A domain you own and a year in which you owned it: part of every entry's id, forever.",
)
@click.option("--language", help="The language of the feeds, such as zh-CN.")
@click.option(
    "--posts",
    type=click.Path(path_type=Path, file_okay=False),
    help="The posts folder, if you have one already.",
)
def init(
    directory: Path,
    title: str | None,
    url: str | None,
    tag: str | None,
    language: str | None,
    posts: Path | None,
) -> None:
    """Write a config.yaml to start from, and a posts folder."""
    from aggregator.cli.init import Values, write_starter

    for path in write_starter(directory, Values(title, url, tag, language, posts)):
        say(f"wrote {path}")
    config = directory / "config.yaml"
    given = {"title": title, "url": url, "tag": tag}
    missing = [name for name, value in given.items() if value is None]
    if missing:
        if url is None:
            missing.append("the url of feeds")
        *first, last = missing
        names = f"{', '.join(first)} and {last}" if first else last
        say(f"next: fill in {names} in {config}")
    say(f"then: aggregator check --config {config}")


@click.command(epilog=example("aggregator check --config site/config.yaml"))
@config_option
@verbose_option
@quiet_option
@json_option
@click.option(
    "--feeds",
    "what",
    flag_value="feeds",
    help="Check the published files instead.",
)
@click.option(
    "--upstream",
    "what",
    flag_value="upstream",
    help="Request every list and subscription instead.",
)
def check(config: Path, verbose: bool, quiet: bool, as_json: bool, what: str | None) -> None:
    """Check the configuration, the feeds, or the upstream.

    Without an option, print the resulting paths, and count the posts.
    With --feeds, validate every published file strictly, and print which entry ids have
    changed since the last check.
    With --upstream, request every list and subscription, print how many entries each has,
    and of a web page which feeds it names; nothing is stored.
    """
    from aggregator.config.load import load_settings
    from aggregator.model.errors import masked

    settings = load_settings(config)
    if what == "feeds":
        _check_feeds(settings, quiet=quiet, as_json=as_json)
        return
    if what == "upstream":
        _check_upstream(settings, quiet=quiet, as_json=as_json)
        return
    listings, warnings, missing = _check_posts(settings)
    unusable = _check_templates(settings)
    if as_json:
        say_json(
            {
                "config": str(config),
                "store": masked(str(settings.store_address)),
                "feeds": str(settings.feeds_address),
                "posts": [str(settings.base / posts.path) for posts in settings.posts],
                "counts": [listing and len(listing.posts) for listing in listings],
                "others": [listing and listing.others for listing in listings],
                "warnings": warnings,
                "missing_folders": missing,
                "templates": unusable,
            }
        )
    elif not quiet:
        say(f"store: {masked(str(settings.store_address))}")
        say(f"feeds: {settings.feeds_address}, served at {settings.feeds.url}")
        for posts, listing in zip(settings.posts, listings, strict=True):
            if listing is not None:
                count = len(listing.posts)
                match = "matches" if count == 1 else "match"
                place = f"{settings.base / posts.path}/{posts.glob}"
                others = f"; {no_posts(listing.others)}" if listing.others else ""
                say(f"posts: {counted(count, 'post')} {match} {place}{others}")
        if verbose:
            for line in settings.model_dump_json(
                indent=2, by_alias=True, exclude={"base"}
            ).splitlines():
                say(line)
        if not (warnings or missing or unusable):
            say(f"{config}: OK")
    if not as_json:
        for warning in warnings + unusable:
            say_error(f"{config}: {warning}")
    for path in missing:
        say_error(f"{settings.base / path}: no such folder (posts: path)")
    if missing or unusable:
        sys.exit(FAILED)


def _check_templates(settings: Settings) -> list[str]:
    """Return what is wrong with the owner's templates."""
    if not settings.templates:
        return []
    from aggregator.publish import templates

    return [f"site: templates: {problem}" for problem in templates.check(settings.templates)]


def _check_posts(settings: Settings) -> tuple[list[Listing | None], list[str], list[str]]:
    """Return the files of each folder, warnings, and the folders that do not exist."""
    from urllib.parse import urlsplit

    from aggregator.config.values import is_reserved
    from aggregator.model.errors import OriginError, masked
    from aggregator.origins.posts.listing import list_folder

    listings: list[Listing | None] = []
    warnings: list[str] = []
    missing: list[str] = []
    for section in (*settings.lists, *settings.subscriptions, *settings.feed_lists):
        if "@" in urlsplit(section.url).netloc:
            warnings.append(
                f"{section.kind}: url: {masked(section.url)} has a user name or password, and "
                "every poll refuses it; give them as headers: {Authorization: …}"
            )
    warnings += [
        f"subscriptions: {masked(left)} is left out: its URL cannot be requested"
        for left in settings.left_out
    ]
    if is_reserved(settings.site.tag):
        domain = settings.site.tag.partition(",")[0]
        warnings.append(
            f"site.tag: {domain} is reserved for examples; entry ids need a domain you own, "
            "and can never change"
        )
    for posts in settings.posts:
        folder = settings.base / posts.path
        listings.append(None)
        if not folder.is_dir():
            missing.append(posts.path)
            continue
        try:
            listing = listings[-1] = list_folder(folder, posts.glob, posts.layout)
        except OriginError as error:
            warnings.append(f"posts: {error}")
            continue
        if not listing.posts:
            others = f" ({no_posts(listing.others)})" if listing.others else ""
            warnings.append(f"posts: no post matches {folder}/{posts.glob}{others}")
    return listings, warnings, missing


def _check_feeds(settings: Settings, *, quiet: bool, as_json: bool) -> None:
    import datetime

    from aggregator.cli.check_feeds import check_feeds

    count, found = check_feeds(settings, datetime.datetime.now(datetime.UTC))
    if as_json:
        say_json({"files": count, "problems": [problem._asdict() for problem in found]})
    else:
        for path, line, reason in found:
            at_line = f":{line}" if line is not None else ""
            say(f"{settings.feeds_address}/{path}{at_line}: {reason}")
        if not quiet:
            say(f"{counted(count, 'file')}, {counted(len(found), 'problem')}")
    if found:
        sys.exit(FAILED)


def _check_upstream(settings: Settings, *, quiet: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from aggregator.pipeline.upstream_check import check_upstream

    found = []
    for result in check_upstream(settings):
        found.append(result)
        if as_json:
            continue
        if result.problem is not None:
            say_error(f"{result.origin}: {result.problem}")
        elif not quiet:
            found_there = (
                counted(result.feeds, "feed") if result.feeds else counted(result.entries, "entry")
            )
            say(f"{result.origin}: {found_there}")
        for note in result.notes:
            say_error(f"{result.origin}: {note}")
    if not (found or as_json or quiet):
        say("no lists or subscriptions to check")
    if as_json:
        say_json({"upstream": [asdict(result) for result in found]})
    if any(result.problem is not None for result in found):
        sys.exit(FAILED)


@click.command(
    epilog=example(
        "aggregator systemd --config /etc/aggregator/config.yaml |\n"
        "    sudo tee /etc/systemd/system/aggregator.service"
    )
)
@click.argument("unit", type=click.Choice(UNITS), default=UNITS[0], metavar="[UNIT]")
@config_option
@click.option(
    "--user", default="aggregator", show_default=True, help="The user that the service runs as."
)
def systemd(unit: str, config: Path, user: str) -> None:
    """Print a systemd unit for this installation.

    UNIT is aggregator.service, the daemon, by default.  aggregator-build.service and
    aggregator-build.timer poll and build every two minutes instead; aggregator-worker@.service is
    one of several machines, with its role after the @; sysusers.conf and tmpfiles.conf make the
    user and its folders.
    """
    from aggregator.cli.systemd import filled_unit

    for line in filled_unit(unit, config, user).splitlines():
        say(line)
