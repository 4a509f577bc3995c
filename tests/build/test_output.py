"""Rendered documents become files, and then the manifest knows them."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from configured import settings_with
from merging import NOW
from one_feed import UPDATED, document, entry

from aggregator.build.context import Context
from aggregator.build.output import Output, Result, produce
from aggregator.build.rendering import Body, DocumentState, Job
from aggregator.model.errors import PublishError
from aggregator.model.feeds import Archive, FeedState
from aggregator.model.packing import pack
from aggregator.publish.files import Folder
from aggregator.publish.publication import Publication
from aggregator.store import archive_places, hub_queue, published
from aggregator.store.database import Store

URL = "https://finews.example.org/feeds/"
HUB = "https://hub.example/"


@pytest.fixture
def output(store: Store, tmp_path: Path) -> Output:
    return made(store, tmp_path)


def made(store: Store, folder: Path, *, dry_run: bool = False, **feeds: Any) -> Output:
    publication = Publication.of(settings_with(feeds={"url": URL, "hubs": [HUB], **feeds}))
    return Output(Context(store, publication, Folder(folder), NOW, {}, full=False, dry_run=dry_run))


def job(text: str = "x", key: str = "all", path: str = "all.atom") -> Job:
    state = FeedState(key, "T", b"r", text.encode(), 1, UPDATED, NOW)
    return Job(state, document(entry(content="")), {"atom": path}, (Body(("a", 1), pack(text)),))


def write(output: Output, *jobs: Job) -> None:
    context = output.context
    for one in jobs:
        output.write(produce(context.destination, context.dry_run, one))
    output.save()


def manifest(output: Output) -> dict[str, FeedState]:
    with output.context.store.transaction() as connection:
        return published.feed_states(connection)


def notified(output: Output) -> list[str]:
    with output.context.store.transaction() as connection:
        return [ping.topic for ping in hub_queue.due(connection, NOW + datetime.timedelta(1))]


def test_a_new_feed_is_in_place_in_the_manifest_and_told_to_hubs(output: Output) -> None:
    write(output, job())
    assert (output.context.destination.directory / "all.atom").exists()
    (state,) = manifest(output).values()
    assert [file.path for file in state.files] == ["all.atom"]
    assert output.context.manifest == {"all": state}
    assert notified(output) == [URL + "all.atom"]
    assert (output.context.summary.written, output.context.summary.paths) == (1, ["all.atom"])


def test_the_same_feed_is_no_news(store: Store, tmp_path: Path, output: Output) -> None:
    write(output, job())
    with store.transaction() as connection:
        for ping in hub_queue.due(connection, NOW):
            hub_queue.done(connection, ping)
    again = made(store, tmp_path)
    write(again, job())
    assert (again.context.summary.written, again.context.summary.paths) == (0, [])
    assert notified(again) == []


def test_a_dry_run_says_what_it_would_write(store: Store, tmp_path: Path) -> None:
    output = made(store, tmp_path, dry_run=True)
    write(output, job())
    assert (output.context.summary.written, output.context.summary.paths) == (1, ["all.atom"])
    assert not (tmp_path / "all.atom").exists()
    output.forget(["all"])
    output.remove_strays()


def test_one_feed_that_cannot_be_written_stops_no_other(output: Output) -> None:
    (output.context.destination.directory / "tags").write_text("a file in the way")
    (output.context.destination.directory / "b.atom").mkdir()
    write(
        output,
        job(key="tag:x", path="tags/x.atom"),
        job(key="b", path="b.atom"),
        job(),
    )
    assert output.failed == {"tag:x", "b"}
    assert list(manifest(output)) == ["all"]
    assert len(output.context.summary.failures) == 2
    assert not list(output.context.destination.directory.rglob("*.tmp"))


def test_what_may_not_have_reached_the_disk_is_written_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = made(store, tmp_path)

    def fail(*_: object) -> None:
        raise PublishError("the disk has failed")

    monkeypatch.setattr(type(output.context.destination), "sync", fail)
    write(output, job())
    assert output.failed == {"all"}
    assert output.context.summary.failures == ["the disk has failed"]
    assert manifest(output) == {}


def test_files_of_another_format_go_with_the_change(store: Store, tmp_path: Path) -> None:
    output = made(store, tmp_path)
    write(output, job())
    other = job()
    other.paths.clear()
    other.paths["json"] = "all.json"
    write(output, other)
    assert sorted(path.name for path in tmp_path.glob("all.*")) == ["all.json"]


def test_feeds_that_are_not_configured_any_more_go(output: Output) -> None:
    write(output, job(), job(key="source:a", path="sources/a.atom"))
    output.forget(["source:a"])
    assert not (output.context.destination.directory / "sources" / "a.atom").exists()
    assert list(manifest(output)) == list(output.context.manifest) == ["all"]


def test_archive_documents_are_written_and_strays_removed(output: Output) -> None:
    store = output.context.store
    with store.transaction() as connection:
        archive_places.save(connection, "all", [Archive(1, ())])
    for number in (1, 2):
        state = DocumentState("all", number, b"f")
        body = Body(("a", 1), pack("x"))
        path = f"archives/all.{number}.atom"
        write(output, Job(state, document(entry(content="")), {"atom": path}, (body,)))
    with store.transaction() as connection:
        (written,) = archive_places.written(connection)
    assert written == ("all", 1)
    output.remove_strays()
    found = [path.name for path in (output.context.destination.directory / "archives").iterdir()]
    assert found == ["all.1.atom"]
    assert notified(output) == []  # nobody subscribes to an archive


def test_a_document_that_has_the_only_copy_of_texts_is_trimmed(output: Output) -> None:
    publication = output.context.publication
    tag = publication.site.tag
    entries = [entry(id=f"tag:{tag}:{code}", content="") for code in ("a", "b")]
    bodies = tuple(Body((code, 1), pack(f"<p>{code}</p>")) for code in ("a", "b"))
    state = DocumentState("all", 1, b"f")
    path = "archives/all.1.atom"
    write(output, Job(state, document(*entries), {"atom": path}, bodies))
    spec = publication.combined_spec()
    output.trim([(spec, Archive(1, (("b", 1),)))])
    text = (output.context.destination.directory / path).read_text("utf-8")
    assert (":a</id>" in text, ":b</id>" in text) == (False, True)
    output.trim([(spec, Archive(1, (("b", 1), ("c", 1))))])
    assert output.failed == {"all"}
    assert "some of its articles are known from it alone" in output.context.summary.failures[0]


def test_a_result_that_failed_keeps_its_clean_texts() -> None:
    result = produce(Folder(Path("/proc/none")), False, job("<p>x"))
    assert isinstance(result, Result)
    assert result.failure is not None
    assert result.files == ()
