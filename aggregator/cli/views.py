"""What polls, builds and the store's contents look like: lines for people, values for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aggregator.cli.console import Clock, print_table
from aggregator.model.errors import masked
from aggregator.model.terminal import counted, say

if TYPE_CHECKING:
    from aggregator.cli.queries import Values
    from aggregator.model.summaries import PollSummary
    from aggregator.pipeline.building import BuildOutcome
    from aggregator.pipeline.polling import PollOutcome


def build_values(outcome: BuildOutcome) -> dict[str, Any]:
    """Return what a build did, for `--json`."""
    return {
        "articles": outcome.articles,
        "feeds": outcome.build.feeds,
        "problems": outcome.problems,
        "read": outcome.poll.read,
        **outcome.poll.by_kind(),
        "others": outcome.poll.others,
        "drafts": outcome.poll.drafts,
        "written": outcome.build.paths,
        "documents": outcome.build.documents,
        "pages": outcome.build.pages,
        "failures": outcome.failures,
    }


def build_lines(outcome: BuildOutcome, *, verbose: bool, dry_run: bool) -> Iterator[str]:
    """Return what a build did, for people."""
    build = outcome.build
    parts = _named(outcome.poll.by_kind())
    yield counted(outcome.articles, "article") + (f" ({', '.join(parts)})" if parts else "")
    verb = "would be written" if dry_run else "written"
    yield f"{build.written:,} of {counted(build.feeds, 'feed')} {verb}"
    if build.documents:
        yield f"{counted(build.documents, 'archive document')} {verb}"
    if verbose or dry_run:
        yield from (f"  {path}" for path in build.paths)
    if build.pages:
        yield f"{counted(build.pages, 'article page')} written"
    yield from _left_out(outcome.poll)
    if outcome.problems:
        yield f"{counted(outcome.problems, 'problem')}: see aggregator problems"


def no_posts(count: int) -> str:
    """Return how many files of a folder are not posts."""
    return "1 file is not a post" if count == 1 else f"{count:,} files are not posts"


def _left_out(poll: PollSummary) -> Iterator[str]:
    """Return what was left out of the posts folders."""
    if poll.others:
        yield no_posts(poll.others)
    if poll.drafts:
        yield f"{counted(poll.drafts, 'draft')} not published"


def poll_values(outcome: PollOutcome) -> dict[str, Any]:
    """Return what a poll did, for `--json`."""
    posts, hubs = outcome.posts, outcome.hubs
    return {
        "posts": None
        if posts is None
        else {
            "read": posts.read,
            **posts.by_kind(),
            "others": posts.others,
            "drafts": posts.drafts,
            "failures": posts.failures,
        },
        "origins": [
            {
                "origin": masked(origin.name),
                "due": len(origin.due),
                "requested": origin.requested,
                "not_modified": origin.not_modified,
                "read": origin.read,
                **origin.by_kind(),
                "failed": origin.failed,
                "skipped": dict(origin.skipped),
                "failures": origin.failures,
            }
            for origin in outcome.origins
        ],
        "hubs": None
        if hubs is None
        else {"notified": hubs.notified, "given_up": hubs.given_up, "failures": hubs.failures},
        "failures": outcome.failures,
    }


def poll_lines(outcome: PollOutcome, *, verbose: bool, dry_run: bool) -> Iterator[str]:
    """Return what a poll did, for people: a line for each origin."""
    if outcome.posts is not None:
        parts = [f"{outcome.posts.read:,} read", *_named(outcome.posts.by_kind())]
        yield f"posts: {', '.join(parts)}"
        yield from (f"  {line}" for line in _left_out(outcome.posts))
    for origin in outcome.origins:
        if dry_run:
            yield f"{masked(origin.name)}: would request {counted(len(origin.due), 'URL')}"
            yield from (f"  {masked(url)}" for url in origin.due if verbose)
            continue
        counts = {
            "not modified": origin.not_modified,
            "read": origin.read,
            **origin.by_kind(),
            "failed": origin.failed,
        }
        done = [counted(origin.requested, "request"), *_named(counts)]
        yield f"{masked(origin.name)}: {', '.join(done)}"
        for reason, count in origin.skipped.most_common():
            yield f"  {count:,} skipped: {reason}"
        if origin.failed:
            yield "  see aggregator problems"
    if outcome.hubs is not None:
        yield f"hubs: {counted(outcome.hubs.notified, 'notification')} sent"


def _named(counts: dict[str, int]) -> list[str]:
    return [f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count]


def print_sources(found: list[dict[str, Any]], clock: Clock) -> None:
    """Print what `aggregator sources` found."""
    print_table(
        {
            "name": [source["name"] for source in found],
            "source": [source["source"] for source in found],
            "articles": [f"{source['articles']:,}" for source in found],
            "newest": [clock.show(source["newest"], brief=True) for source in found],
            "feed": [source["feed"] for source in found],
        }
    )


def print_found(found: list[dict[str, Any]], clock: Clock) -> None:
    """Print what `aggregator search` found."""
    if not found:
        say("no article matches")
        return
    print_table(
        {
            "published": [clock.show(article["published"], brief=True) for article in found],
            "source": [article["source_name"] for article in found],
            "title": [article["title"] for article in found],
            "code": [article["code"] for article in found],
        }
    )


def print_problems(
    found: list[dict[str, Any]], clock: Clock, *, verbose: bool, quiet: bool
) -> None:
    """Print what `aggregator problems` found."""
    for problem in found:
        line = f":{problem['line']}" if problem["line"] is not None else ""
        since = f", since {clock.show(problem['since'])}" if verbose else ""
        say(f"{problem['file']}{line}: {problem['reason']}{since}")
    if not found and not quiet:
        say("no problems")


def print_article(found: dict[str, Any], clock: Clock, *, verbose: bool) -> None:
    """Print what `aggregator show` found."""
    state = "removed" if found["removed"] else "scheduled" if found["scheduled"] else ""
    if found["excluded_by_rule"] is not None:
        state = f"excluded by rule {found['excluded_by_rule']}"
    say(f"{found['title']}" + (f"  [{state}]" if state else ""))
    for name in ("code", "source"):
        say(f"  {name:<11}{found[name]}")
    for name in ("first_seen", "published", "updated"):
        say(f"  {name.replace('_', ' '):<11}{clock.show(found[name])}")
    for name in ("link", "page", "share_url"):
        say(f"  {name.replace('_', ' '):<11}{found[name] or '-'}")
    none = state or "none: older than the oldest entry of each feed"
    say(f"  {'feeds':<11}{', '.join(found['feeds']) or none}")
    if found["archives"]:
        say(f"  {'archives':<11}{', '.join(found['archives'])}")
    if found["hidden_behind"]:
        say(f"  {'hidden':<11}in feeds of several sources, which show {found['hidden_behind']}")
    if found["similar"]:
        say(f"similar ({len(found['similar'])}), with the share of the shorter text in common")
        for other in found["similar"]:
            say(f"  {other['share']:>3} %  {other['code']}  {other['name']}  {other['title']}")
    say(f"copies ({len(found['copies'])})")
    for copy in found["copies"]:
        changed = f"  changed {clock.show(copy['changed'])}" if copy["changed"] else ""
        say(f"  {copy['origin']}  {copy['location']}{changed}")
        if copy["share_url"]:
            say(f"    {copy['share_url']}")
    if found["pages"]:
        say(f"share pages ({len(found['pages'])})")
    for page in found["pages"]:
        _print_page(page, clock)
    say(f"revisions ({len(found['revisions'])})")
    for revision in found["revisions"]:
        say(
            f"  {revision['number']}  seen {clock.show(revision['seen_at'])}  "
            f"{counted(revision['characters'], 'character')}  {revision['title']}"
        )
        for line in revision["changes"]:
            say(f"     {line if verbose else line[:200]}")


def _print_page(page: dict[str, Any], clock: Clock) -> None:
    say(f"  {page['url']}")
    say(f"    last response  {clock.show(page['last_success'])}")
    if page["error"]:
        row = f"{counted(page['failures_in_a_row'], 'failure')} in a row"
        say(f"    failing        {row}: {page['error']}")
    say(
        f"    next           {'never: it is gone' if page['gone'] else clock.show(page['next_at'])}"
    )


def print_groups(found: list[Values], clock: Clock) -> None:
    """Print groups of similar articles: a table of each on a terminal, lines elsewhere."""
    for number, group in enumerate(found):
        if number:
            say("")
        say(counted(len(group["articles"]), "article"))
        print_similar(group["articles"], clock)
    if not found:
        say("no similar articles")


def print_similar(articles: list[dict[str, Any]], clock: Clock) -> None:
    """Print similar articles in columns."""
    print_table(
        {
            "share": [f"{one['share']} %" for one in articles],
            "code": [one["code"] for one in articles],
            "published": [clock.show(one["published"], brief=True) for one in articles],
            "source": [one["name"] for one in articles],
            "title": [one["title"] for one in articles],
        }
    )
