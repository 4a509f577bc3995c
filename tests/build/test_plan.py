"""What there is to render: feeds that would show something new, and their archives."""

from pathlib import Path

import pytest
from configured import settings_with
from merging import NOW, apply, code_of, copy

from aggregator.build.archives import Changes
from aggregator.build.context import Context
from aggregator.build.output import Output, produce
from aggregator.build.plan import Jobs
from aggregator.build.rendering import DocumentState, Job
from aggregator.model.feeds import FeedState
from aggregator.model.packing import unpack
from aggregator.model.polls import Batch
from aggregator.publish.files import Folder
from aggregator.publish.publication import Publication
from aggregator.store.database import Store
from aggregator.store.windows import last_arrival


@pytest.fixture
def context(store: Store, tmp_path: Path) -> Context:
    feeds = {"url": "https://finews.example.org/feeds/", "combined_entries": 2, "entries": 2}
    publication = Publication.of(settings_with(feeds=feeds))
    return Context(store, publication, Folder(tmp_path), NOW, {}, full=False, dry_run=False)


def add(context: Context, *numbers: int, poll: int = 1, text: str = "<p>x</p>") -> None:
    copies = tuple(copy(f"{n}.md", text, code=code_of(n)) for n in numbers)
    apply(context.store, Batch("posts:a", copies=copies), poll)


def jobs(context: Context) -> list[Job]:
    """The jobs for the combined feed and that of the source, which are done then."""
    publication = context.publication
    with context.store.transaction() as connection:
        changes = Changes(frozenset(), last_arrival(connection))
    plan, output = Jobs(context, changes), Output(context)
    found = []
    for job in plan.of([publication.source_spec("a"), publication.combined_spec()]):
        found.append(job)
        output.write(produce(context.destination, context.dry_run, job))
        output.save()
    output.save(plan.recounted)
    return found


def keys(found: list[Job]) -> list[str]:
    return [job.state.key for job in found if isinstance(job.state, FeedState)]


def test_a_feed_that_shows_what_it_showed_is_not_rendered(context: Context) -> None:
    add(context, 1, 2)
    assert keys(jobs(context)) == ["source:a", "all"]
    assert jobs(context) == []
    (context.destination.directory / "all.atom").unlink()
    assert keys(jobs(context)) == ["all"]
    add(context, 3, poll=2)
    assert keys(jobs(context)) == ["source:a", "all"]


def test_a_text_is_clean_once_it_was_published(context: Context) -> None:
    add(context, 1, text="<p onclick=x>eins")
    first = jobs(context)[-1]
    (body,) = first.bodies
    assert (body.media_type, unpack(body.packed)) == (None, "<p>eins</p>")
    (context.destination.directory / "sources" / "a.atom").unlink()
    (again,) = jobs(context)
    assert again.bodies[0].media_type is None
    add(context, 2, poll=2, text="<p>zwei")
    (own, _) = [job for job in jobs(context) if isinstance(job.state, FeedState)]
    assert [body.media_type for body in own.bodies] == ["text/html", None]


def test_what_a_feed_does_not_show_is_archived_before_it(context: Context) -> None:
    add(context, *range(1, 6))
    found = [job for job in jobs(context) if job.state.key == "all"]
    assert isinstance(found[0].state, DocumentState)
    shown = [[int(entry.id[-18:]) for entry in job.document.entries] for job in found]
    assert shown == [[2, 1], [3], [5, 4]]
    assert [path for job in found for path in job.paths.values()] == [
        "archives/all.1.atom", "archives/all.2.atom", "all.atom"
    ]  # fmt: skip
    assert found[-1].document.archive.previous == found[1].document.urls["atom"]


def test_the_combined_feed_has_the_feeds_of_its_sources_as_origins(context: Context) -> None:
    add(context, 1)
    own, combined = jobs(context)
    assert own.document.origins == {}
    (origin,) = combined.document.origins.values()
    assert origin.title == own.document.title == "甲 - 财经新闻"
    assert origin.updated == own.document.updated
    assert isinstance(own.state, FeedState)
    assert (own.state.activity.articles, combined.document.title) == (1, "财经新闻")
