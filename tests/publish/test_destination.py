"""A folder and object storage do the same with the same files."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from configured import settings_with

from aggregator.model.errors import PublishError
from aggregator.model.feeds import PublishedFile
from aggregator.publish.destination import Destination, destination_of
from aggregator.publish.files import Folder
from aggregator.publish.object_storage import ObjectStorage

Make = Callable[[], Destination]


@pytest.fixture(params=["folder", "objects", "packed objects"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Return the destination of a new process, always of the same place."""
    if request.param == "folder":
        return lambda: Folder(tmp_path / "feeds")
    storage_server = request.getfixturevalue("storage_server")
    url = f"s3://{storage_server.new_bucket().name}/feeds"
    return lambda: ObjectStorage(url, ["gzip"] if request.param == "packed objects" else [])


def put(destination: Destination, path: str, data: bytes) -> tuple[PublishedFile, bool]:
    (files,) = destination.put([destination.prepare(path, data)])
    assert not isinstance(files, PublishError), files
    return files[0].left, files[0].is_new


def test_what_is_put_is_there_as_it_was_left(make: Make) -> None:
    destination = make()
    destination.begin()
    assert destination.read("all.atom", 9) is None
    left, is_new = put(destination, "all.atom", b"<feed>")
    assert is_new
    for found in (destination, make()):
        assert found.is_as_left([left])
        assert found.exists("all.atom")
        assert found.read("all.atom", 3) == b"<fe"
        there = found.left_file("all.atom")
        assert there is not None
        assert (there.size, there.etag) == (left.size, left.etag)
    assert not make().is_as_left([left, PublishedFile("b.atom", 1, 1)])


def test_the_same_bytes_are_not_new(make: Make) -> None:
    left, _ = put(make(), "all.atom", b"<feed>")
    assert put(make(), "all.atom", b"<feed>") == (left, False)
    changed, is_new = put(make(), "all.atom", b"<FEED>")
    assert is_new
    assert make().is_as_left([changed])
    assert not make().is_as_left([left])


def test_a_dry_run_says_what_is_new_and_writes_nothing(make: Make) -> None:
    put(make(), "all.atom", b"<feed>")
    destination = make()
    destination.begin(dry_run=True)
    for path, data, is_new in (
        ("all.atom", b"<feed>", False),
        ("all.atom", b"<FEED>", True),
        ("all.rss", b"<feed>", True),
    ):
        prepared = destination.prepare(path, data, dry_run=True)
        (files,) = destination.put([prepared], dry_run=True)
        assert not isinstance(files, PublishError)
        assert files[0].is_new is is_new
    assert make().read("all.atom", 99) == b"<feed>"
    assert not make().exists("all.rss")


def test_files_are_found_by_folder_and_name(make: Make) -> None:
    paths = ["all.atom", "archives/all.1.atom", "sources/a.atom", "sources/a.rss", "sources/b.atom"]
    destination = make()
    outcomes = list(destination.put([destination.prepare(path, b"x") for path in paths]))
    assert not [outcome for outcome in outcomes if isinstance(outcome, PublishError)]
    for found in (destination, make()):
        assert found.find("sources/*.atom") == ["sources/a.atom", "sources/b.atom"]
        assert found.find("all.*") == ["all.atom"]
        assert found.find("archives/*") == ["archives/all.1.atom"]
        assert found.find("tags/*") == []
        contents = list(found.read_all([*paths, "none.atom"] * 9, 1))
        assert contents == [*([b"x"] * len(paths)), None] * 9


def test_what_is_removed_is_gone(make: Make) -> None:
    destination = make()
    put(destination, "sources/a.atom", b"x")
    destination.remove("sources/a.atom")
    destination.remove("sources/a.atom")
    destination.remove("tags/none.atom")
    for found in (destination, make()):
        assert not found.exists("sources/a.atom")
        assert found.find("sources/*") == []
    put(destination, "sources/a.atom", b"y")
    assert make().read("sources/a.atom", 9) == b"y"


def test_a_worker_process_prepares(make: Make) -> None:
    destination = make()
    destination.begin()
    elsewhere = pickle.loads(pickle.dumps(destination))
    prepared = pickle.loads(pickle.dumps(elsewhere.prepare("all.atom", b"<feed>")))
    (files,) = destination.put([prepared])
    assert not isinstance(files, PublishError)
    destination.sync(files)
    assert make().read("all.atom", 99) == b"<feed>"


def test_messages_name_the_file(make: Make) -> None:
    destination = make()
    assert destination.place("a/b.atom") == f"{destination.place('')}/a/b.atom"


def test_the_configuration_says_which_it_is() -> None:
    url = "https://finews.example.org/feeds/"
    settings = settings_with(feeds={"url": url, "compress": ["gzip"]})
    folder = destination_of(settings)
    assert isinstance(folder, Folder)
    assert folder.names(["a"]) == ["a", "a.gz"]
    feeds = {"url": url, "directory": "gs://bucket/a/", "compress": ["gzip"]}
    storage = destination_of(settings_with(feeds=feeds))
    assert isinstance(storage, ObjectStorage)
    assert storage.place("") == "gs://bucket/a"
    assert storage.names(["a"]) == ["a"]
