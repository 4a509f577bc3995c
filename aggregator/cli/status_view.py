"""`aggregator status` for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aggregator.cli.console import Clock, print_table
from aggregator.cli.views import no_posts
from aggregator.model.errors import masked
from aggregator.model.terminal import counted, say

_BARS = "▁▂▃▄▅▆▇█"


def print_status(found: dict[str, Any], clock: Clock, *, verbose: bool) -> None:
    """Print what `aggregator status` found."""
    counts = [counted(found["articles"], "article"), counted(found["problems"], "problem")]
    if verbose:
        counts.insert(1, counted(found["copies"], "copy"))
        counts.insert(2, counted(found["superseded_texts"], "superseded text"))
    say(", ".join(counts))
    say(f"store: {found['store']}, {found['store_bytes'] / 1e6:,.1f} MB")
    daemon = found["daemon"]
    if daemon is not None:
        say(f"daemon: process {daemon['pid']}, since {clock.show(daemon['since'])}")
        for failure in daemon["failures"]:
            say(f"  {failure}")
    _print_machines(found, clock)
    for origin in found["origins"]:
        say(origin["origin"])
        for name, value in _origin_facts(origin, clock):
            say(f"  {name:<15}{value}")
    for hub in found["hubs"]:
        error = f": {hub['error']}" if hub["error"] else ""
        say(f"hub {hub['hub']}: to be notified of {counted(hub['waiting'], 'feed')}{error}")
    for rule in found["rules"]:
        texts = counted(rule["texts_changed"], "text")
        articles = counted(rule["articles_excluded"], "article")
        say(f"rule {rule['rule']}: {texts} changed, {articles} excluded")
    if found["feeds_error"]:
        say(f"feeds: {found['feeds_error']}")
    sources, feeds = found["sources"], found["feeds"]
    print_table(
        {
            "source": [source["source"] for source in sources],
            "name": [source["name"] for source in sources],
            "articles": [f"{source['articles']:,}" for source in sources],
            "newest": [clock.show(source["newest"], brief=True) for source in sources],
            "last 14 days": [_sparkline(source["days"]) for source in sources],
        }
    )
    print_table(
        {
            "feed": [
                feed["file"] + (" (missing)" if feed["on_disk"] is False else "") for feed in feeds
            ],
            "title": [feed["title"] for feed in feeds],
            "entries": [f"{feed['entries']:,}" for feed in feeds],
            "updated": [clock.show(feed["updated"], brief=True) for feed in feeds],
            "kB": [f"{feed['bytes'] / 1000:,.0f}" for feed in feeds],
        }
    )


def _print_machines(found: dict[str, Any], clock: Clock) -> None:
    """Print the machines that share the store, and the jobs that none of them has begun."""
    if not (machines := found["machines"]):
        return
    print_table(
        {
            "machine": [machine["machine"] for machine in machines],
            "roles": [", ".join(machine["roles"]) for machine in machines],
            "last seen": [
                clock.show(machine["seen"]) + ("" if machine["is_alive"] else ": silent")
                for machine in machines
            ],
            "jobs done": [f"{machine['jobs_done']:,}" for machine in machines],
            "hosts": [f"{len(machine['hosts']):,}" for machine in machines],
        }
    )
    for queue, count in sorted(found["jobs_waiting"].items()):
        say(f"{queue}: {counted(count, 'job')} waiting")


def _sparkline(counts: list[int]) -> str:
    """Return a bar for each count, the highest for the largest, and a dot for zero."""
    most = max(counts, default=0)
    return "".join(
        _BARS[max((len(_BARS) * count + most - 1) // most - 1, 0)] if count else "·"
        for count in counts
    )


def _origin_facts(origin: dict[str, Any], clock: Clock) -> Iterator[tuple[str, str]]:
    """Return when an origin was polled, what fails, and when it is polled next."""
    yield "polled", clock.show(origin["polled_at"])
    if origin["others"]:
        yield "left out", no_posts(origin["others"])
    if origin["drafts"]:
        yield "drafts", f"{origin['drafts']:,}"
    if not origin["urls"]:
        return
    if origin["urls"] > 1:
        yield "URLs", f"{origin['urls']:,}"
    yield "last response", clock.show(origin["last_success"])
    if origin["failing"]:
        row = f"{counted(origin['failures_in_a_row'], 'failure')} in a row"
        if origin["urls"] > 1:
            row = f"{counted(origin['failing'], 'URL')} (up to {row}), for example"
        yield "failing", f"{row}: {_without_url(str(origin['error']), origin['origin'])}"
    if origin["next_at"]:
        yield "next", clock.show(origin["next_at"])


def _without_url(error: str, origin: str) -> str:
    """Return the error without the URL that the origin's name has already."""
    url = masked(origin.partition(":")[2])
    while url and error.startswith(f"{url}: "):
        error = error.removeprefix(f"{url}: ")
    return error
