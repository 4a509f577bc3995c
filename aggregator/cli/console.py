"""What a run looks like on a terminal, and in a log."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from aggregator.model.errors import masked
from aggregator.model.terminal import counted, printable, say, say_row

if TYPE_CHECKING:
    from aggregator.model.summaries import ChangeCounts
    from aggregator.pipeline.building import BuildOutcome
    from aggregator.pipeline.polling import PollOutcome

_BARS = "▁▂▃▄▅▆▇█"
Report = Callable[[str, int, int], None]


@contextlib.contextmanager
def progress(silent: bool) -> Iterator[Report]:
    """A progress bar on a terminal, nothing elsewhere: logs get the summary's lines."""
    if silent or not sys.stderr.isatty():
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress, TaskID

    # Without a thread of its own: worker processes are forked while it shows.
    with Progress(console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(escape(printable(stage)), total=total)
            bar.update(tasks[stage], completed=done, total=total, refresh=True)

        yield report


def outcome_values(outcome: BuildOutcome) -> dict[str, Any]:
    """A run's outcome for scripts."""
    return {
        "articles": outcome.articles,
        "feeds": outcome.build.feeds,
        "problems": outcome.problems,
        "read": outcome.poll.read,
        **_counts(outcome.poll),
        "written": outcome.build.paths,
        "failures": outcome.failures,
    }


def outcome_lines(outcome: BuildOutcome, *, verbose: bool, dry_run: bool) -> Iterator[str]:
    """A run's outcome for people."""
    build = outcome.build
    parts = _named(_counts(outcome.poll))
    yield counted(outcome.articles, "article") + (f" ({', '.join(parts)})" if parts else "")
    verb = "would be written" if dry_run else "written"
    yield f"{build.written:,} of {counted(build.feeds, 'feed')} {verb}"
    if verbose or dry_run:
        yield from (f"  {path}" for path in build.paths)
    if outcome.problems:
        yield f"{counted(outcome.problems, 'problem')}: see aggregator problems"


def poll_values(outcome: PollOutcome) -> dict[str, Any]:
    """A poll's outcome for scripts."""
    posts = outcome.posts
    return {
        "posts": None
        if posts is None
        else {"read": posts.read, **_counts(posts), "failures": posts.failures},
        "origins": [
            {
                "origin": origin.name,
                "due": len(origin.due),
                "asked": origin.asked,
                "not_modified": origin.not_modified,
                "read": origin.read,
                **_counts(origin),
                "failed": origin.failed,
                "skipped": dict(origin.skipped),
                "failures": origin.failures,
            }
            for origin in outcome.origins
        ],
        "hubs": None
        if outcome.hubs is None
        else {
            "told": outcome.hubs.told,
            "given_up": outcome.hubs.given_up,
            "failures": outcome.hubs.failures,
        },
        "failures": outcome.failures,
    }


def poll_lines(outcome: PollOutcome, *, verbose: bool, dry_run: bool) -> Iterator[str]:
    """A poll's outcome for people, a line for each origin."""
    if outcome.posts is not None:
        parts = [f"{outcome.posts.read:,} read", *_named(_counts(outcome.posts))]
        yield f"posts: {', '.join(parts)}"
    for origin in outcome.origins:
        if dry_run:
            yield f"{origin.name}: would ask {len(origin.due):,}"
            yield from (f"  {masked(url)}" for url in origin.due if verbose)
            continue
        counts = {
            "not modified": origin.not_modified,
            "read": origin.read,
            **_counts(origin),
            "failed": origin.failed,
        }
        yield f"{origin.name}: {', '.join([f'{origin.asked:,} asked', *_named(counts)])}"
        for reason, count in origin.skipped.most_common():
            yield f"  {count:,} skipped: {reason}"
        if origin.failed:
            yield "  see aggregator problems"
    if outcome.hubs is not None:
        yield f"hubs: {outcome.hubs.told:,} told"


def _counts(counts: ChangeCounts) -> dict[str, int]:
    return {
        "new": counts.new,
        "revised": counts.revised,
        "restated": counts.restated,
        "removed": counts.removed,
    }


def _named(counts: dict[str, int]) -> list[str]:
    return [f"{count:,} {name}" for name, count in counts.items() if count]


def print_status(found: dict[str, Any]) -> None:
    """`aggregator status`."""
    say(
        ", ".join(
            (
                counted(found["articles"], "article"),
                f"{found['copies']:,} {'copy' if found['copies'] == 1 else 'copies'}",
                counted(found["superseded_texts"], "superseded text"),
                counted(found["problems"], "problem"),
            )
        )
    )
    say(f"store {found['store']}: {found['store_bytes'] / 1e6:,.1f} MB")
    daemon = found["daemon"]
    if daemon is not None:
        say(f"daemon: process {daemon['pid']} since {daemon['since']}")
        for failure in daemon["failures"]:
            say(f"  {failure}")
    for origin in found["origins"]:
        say(_origin_line(origin))
    for hub in found["hubs"]:
        why = f": {hub['trouble']}" if hub["trouble"] else ""
        say(f"hub {hub['hub']}: {counted(hub['waiting'], 'feed')} to be told of{why}")
    _print_table(
        ("source", "name", "articles", "newest", "last 14 days"),
        [
            (
                source["source"],
                source["name"],
                f"{source['articles']:,}",
                source["newest"],
                _sparkline(source["days"]),
            )
            for source in found["sources"]
        ],
    )
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


def _sparkline(counts: list[int]) -> str:
    """A bar for each count: the highest is that of the largest, a dot stands for none."""
    most = max(counts, default=0)
    return "".join(
        _BARS[max((len(_BARS) * count + most - 1) // most - 1, 0)] if count else "·"
        for count in counts
    )


def _origin_line(origin: dict[str, Any]) -> str:
    """One origin: when it was read, what fails, and when it is asked again."""
    parts = [f"polled {origin['polled_at'] or 'never'}"]
    is_one = origin["urls"] == 1
    if origin["urls"]:
        if not is_one:
            parts.append(counted(origin["urls"], "URL"))
        parts.append(f"last answer {origin['last_success'] or 'never'}")
        if origin["failing"]:
            row = f"{counted(origin['failures_in_a_row'], 'failure')} in a row"
            trouble = f"{origin['trouble']}"
            if is_one:
                parts.append(f"{row} ({_without_url(trouble, origin['origin'])})")
            else:
                parts.append(f"{origin['failing']:,} failing, up to {row} ({trouble})")
        if origin["next_at"]:
            parts.append(f"next {origin['next_at']}")
    return f"{origin['origin']}: {', '.join(parts)}"


def _without_url(trouble: str, origin: str) -> str:
    """What is wrong with the one URL of an origin, which its name says already."""
    url = masked(origin.partition(":")[2])
    while url and trouble.startswith(f"{url}: "):
        trouble = trouble.removeprefix(f"{url}: ")
    return trouble


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
    say(f"{found['title']}" + (f"  [{state}]" if state else ""))
    for name in ("code", "source", "first_seen", "published", "updated", "link", "share_url"):
        say(f"  {name.replace('_', ' '):<11}{found[name] or '-'}")
    none = "none: older than the feeds reach" if not state else f"none: {state}"
    say(f"  {'feeds':<11}{', '.join(found['feeds']) or none}")
    if found["archives"]:
        say(f"  {'archives':<11}{', '.join(found['archives'])}")
    say(f"copies ({len(found['copies'])})")
    for copy in found["copies"]:
        changed = f"  changed {copy['changed']}" if copy["changed"] else ""
        say(f"  {copy['origin']}  {copy['location']}{changed}")
        if copy["share_url"]:
            say(f"    {copy['share_url']}")
    if found["pages"]:
        say(f"share pages ({len(found['pages'])})")
    for page in found["pages"]:
        say(f"  {page['url']}")
        parts = [f"last answer {page['last_success'] or 'never'}"]
        if page["trouble"]:
            parts.append(f"failed {page['failures_in_a_row']:,} times in a row: {page['trouble']}")
        parts.append("not asked again" if page["gone"] else f"next {page['next_at']}")
        say(f"    {', '.join(parts)}")
    say(f"revisions ({len(found['revisions'])})")
    for revision in found["revisions"]:
        say(
            f"  {revision['number']}  seen {revision['seen_at']}  "
            f"{revision['characters']:,} characters  {revision['title']}"
        )
        for line in revision["changes"]:
            say(f"     {line if verbose else line[:200]}")


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table on a terminal, tab-separated lines elsewhere."""
    if sys.stdout is None or not sys.stdout.isatty():
        for row in (header, *rows):
            say_row(row)
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(name, justify="right" if name in ("entries", "articles", "kB") else "left")
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    Console().print(table)
