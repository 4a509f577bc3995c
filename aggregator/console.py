"""What a run looks like on a terminal, and in a log."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aggregator.runs import Outcome

Report = Callable[[str, int, int], None]


@contextlib.contextmanager
def progress(silent: bool) -> Iterator[Report]:
    """A progress bar on a terminal, nothing elsewhere: logs get the summary's lines."""
    if silent or not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    # Without a thread of its own: worker processes are forked while it shows.
    with Progress(console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total, refresh=True)

        yield report


def outcome_values(outcome: Outcome) -> dict[str, Any]:
    """A run's outcome for scripts."""
    return {
        "articles": outcome.articles,
        "feeds": outcome.build.feeds,
        "problems": outcome.problems,
        "read": outcome.poll.read,
        "new": outcome.poll.new,
        "revised": outcome.poll.revised,
        "restated": outcome.poll.restated,
        "removed": outcome.poll.removed,
        "written": outcome.build.written,
        "failures": outcome.failures,
    }


def outcome_lines(outcome: Outcome, *, verbose: bool, dry_run: bool) -> Iterator[str]:
    """A run's outcome for people."""
    poll, build = outcome.poll, outcome.build
    parts = [
        f"{count:,} {name}"
        for count, name in (
            (poll.new, "new"),
            (poll.revised, "revised"),
            (poll.restated, "restated"),
            (poll.removed, "removed"),
        )
        if count
    ]
    yield f"{outcome.articles:,} articles" + (f" ({', '.join(parts)})" if parts else "")
    verb = "would be written" if dry_run else "written"
    yield f"{len(build.written):,} of {build.feeds:,} feeds {verb}"
    if verbose or dry_run:
        yield from (f"  {path}" for path in build.written)
    if outcome.problems:
        yield f"{outcome.problems:,} problems: see aggregator problems"


def print_status(found: dict[str, Any]) -> None:
    """`aggregator status`."""
    click.echo(
        f"{found['articles']:,} articles, {found['copies']:,} copies, "
        f"{found['superseded_texts']:,} superseded texts, {found['problems']:,} problems"
    )
    click.echo(f"store {found['store']}: {found['store_bytes'] / 1e6:,.1f} MB")
    for name, at in found["polls"].items():
        click.echo(f"{name}: read {at}")
    _print_table(
        ("feed", "title", "entries", "updated", "kB"),
        [
            (
                feed["file"] if feed["on_disk"] else f"{feed['file']} (missing)",
                feed["title"],
                f"{feed['entries']:,}",
                feed["updated"],
                f"{feed['bytes'] / 1000:,.0f}",
            )
            for feed in found["feeds"]
        ],
    )


def print_sources(found: list[dict[str, Any]]) -> None:
    """`aggregator sources`."""
    _print_table(
        ("name", "source", "slug", "articles", "newest", "feed"),
        [
            (
                item["name"],
                item["source"],
                item["slug"],
                f"{item['articles']:,}",
                item["newest"],
                item["feed"],
            )
            for item in found
        ],
    )


def print_article(found: dict[str, Any], *, verbose: bool) -> None:
    """`aggregator show`."""
    state = "removed" if found["removed"] else "held back until due" if found["held_back"] else ""
    click.echo(f"{found['title']}" + (f"  [{state}]" if state else ""))
    for name in ("code", "source", "first_seen", "published", "updated", "link", "share_url"):
        click.echo(f"  {name.replace('_', ' '):<11}{found[name] or '-'}")
    click.echo(f"  {'feeds':<11}{', '.join(found['feeds']) or 'none: older than the feeds reach'}")
    click.echo(f"copies ({len(found['copies'])})")
    for copy in found["copies"]:
        changed = f"  changed {copy['changed']}" if copy["changed"] else ""
        click.echo(f"  {copy['origin']}  {copy['location']}{changed}")
        if copy["share_url"]:
            click.echo(f"    {copy['share_url']}")
    click.echo(f"revisions ({len(found['revisions'])})")
    for revision in found["revisions"]:
        click.echo(
            f"  {revision['number']}  seen {revision['seen_at']}  "
            f"{revision['characters']:,} characters  {revision['title']}"
        )
        for line in revision["changes"]:
            click.echo(f"     {line if verbose else line[:200]}")


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table on a terminal, tab-separated lines elsewhere."""
    if sys.stdout is None or not sys.stdout.isatty():
        for row in (header, *rows):
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(name, justify="right" if name in ("entries", "articles", "kB") else "left")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)
