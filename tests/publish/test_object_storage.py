"""What object storage alone has: attributes, conditions, and a server that may be away."""

from __future__ import annotations

import gzip
import time

import pytest
from storage_server import Bucket, StorageServer

from aggregator.model.errors import PublishError
from aggregator.publish.destination import Prepared
from aggregator.publish.object_storage import MAX_FAILURES, ObjectStorage


def storage(bucket: Bucket, *codings: str, **options: float) -> ObjectStorage:
    return ObjectStorage(f"s3://{bucket.name}/feeds", codings, **options)


def put(destination: ObjectStorage, *contents: tuple[str, bytes]) -> list[str]:
    """Put files; return their failures."""
    documents = [destination.prepare(path, data) for path, data in contents]
    return [str(done) for done in destination.put(documents) if isinstance(done, PublishError)]


def test_objects_have_the_headers_that_they_are_served_with(bucket: Bucket) -> None:
    destination = storage(bucket, "gzip")
    sealed = b'<feed><link rel="next-archive" href="x"/>'
    assert put(destination, ("all.atom", b"<feed>"), ("archives/all.1.atom", sealed)) == []
    assert bucket.attributes("feeds/all.atom") == {
        "Content-Type": "application/atom+xml; charset=utf-8",
        "Cache-Control": "public, max-age=60, stale-if-error=86400",
        "Content-Encoding": "gzip",
    }
    assert gzip.decompress(bucket.read("feeds/all.atom")) == b"<feed>"
    caching = bucket.attributes("feeds/archives/all.1.atom")["Cache-Control"]
    assert caching == "public, max-age=31536000, immutable"


def test_an_object_with_other_attributes_is_made_again(bucket: Bucket) -> None:
    bucket.write("feeds/all.atom", b"<feed>", Content_Type="text/plain")
    assert put(storage(bucket), ("all.atom", b"<feed>")) == []
    assert bucket.attributes("feeds/all.atom")["Content-Type"].startswith("application/atom+xml")
    assert put(storage(bucket, "gzip"), ("all.atom", b"<feed>")) == []
    assert put(storage(bucket), ("all.atom", b"<feed>")) == []
    assert "Content-Encoding" not in bucket.attributes("feeds/all.atom")


def test_what_another_has_written_since_is_kept(bucket: Bucket) -> None:
    mine, other = storage(bucket), storage(bucket)
    assert put(mine, ("all.atom", b"old"), ("sources/b.atom", b"old")) == []
    for destination in (mine, other):
        destination.begin()
    assert put(other, ("all.atom", b"newer"), ("sources/a.atom", b"newer")) == []
    bucket.remove("feeds/sources/b.atom")
    contents = [(path, b"stale") for path in ("all.atom", "sources/a.atom", "sources/b.atom")]
    failures = put(mine, *contents, ("all.json", b"mine"))
    assert len(failures) == 3
    for (path, _), failure in zip(contents, failures, strict=True):
        url = f"s3://{bucket.name}/feeds"
        assert failure.startswith(f"{url}/{path}: another process has written it since")
        assert f"let only one aggregator publish to {url}" in failure
    assert bucket.read("feeds/all.atom") == bucket.read("feeds/sources/a.atom") == b"newer"
    assert "feeds/sources/b.atom" not in bucket.objects()
    with pytest.raises(PublishError, match="another process has written it since"):
        mine.remove("all.atom")
    mine.begin()
    assert put(mine, *contents) == []
    assert bucket.read("feeds/all.atom") == b"stale"


def test_an_upload_whose_response_was_lost_is_no_conflict(
    bucket: Bucket, storage_server: StorageServer
) -> None:
    destination = storage(bucket)
    destination.begin()
    (file,) = destination.prepare("all.atom", b"mine")
    bucket.write("feeds/all.atom", b"mine", **named(file))
    ((done,),) = destination.put([[file]])
    assert isinstance(done, Prepared)
    assert done.is_new
    assert destination.is_as_left([done.left])


def named(file: Prepared) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in file.attributes.items()}


def test_archives_are_there_before_the_feeds_that_link_to_them(
    bucket: Bucket, storage_server: StorageServer
) -> None:
    archives = [(f"archives/all.{number}.atom", b"x") for number in range(30)]
    assert put(storage(bucket), *archives, ("all.atom", b"x"), ("all.rss", b"x")) == []
    puts = [path for method, path in storage_server.requests if method == "PUT"]
    assert set(puts[-2:]) == {"feeds/all.atom", "feeds/all.rss"}


def test_there_is_one_listing_however_much_is_compared(
    bucket: Bucket, storage_server: StorageServer
) -> None:
    put(storage(bucket), *((f"sources/s{number}.atom", b"x") for number in range(1200)))
    storage_server.requests.clear()
    destination = storage(bucket)
    destination.begin()
    files = [destination.left_file(path) for path in destination.find("sources/*")]
    assert len(files) == 1200
    assert destination.is_as_left([file for file in files if file is not None])
    assert storage_server.requests == [("GET", ""), ("GET", "")]  # 1,000 objects a page


def test_objects_of_others_are_left_alone(bucket: Bucket) -> None:
    for path in ("feeds/", "feeds/sources/", "feeds/mine/x.atom", "other/all.atom"):
        bucket.write(path, b"")
    destination = storage(bucket)
    assert not destination.exists("mine/x.atom")
    assert put(destination, ("all.atom", b"x")) == []
    assert "feeds/mine/x.atom" in bucket.objects()


@pytest.mark.parametrize("status", ["500 Broken", "503 Slow Down"])
def test_a_server_that_fails_now_and_then_is_asked_again(
    bucket: Bucket, storage_server: StorageServer, status: str
) -> None:
    failing = iter([status] * 2)
    storage_server.before = lambda method, path: next(failing, None) if method == "PUT" else None
    assert put(storage(bucket), ("all.atom", b"x")) == []


def test_a_server_that_stays_broken_is_given_up_for_this_build(
    bucket: Bucket, storage_server: StorageServer
) -> None:
    storage_server.before = lambda method, path: "500 Broken" if method == "PUT" else None
    destination = storage(bucket)
    started = time.monotonic()
    failures = put(destination, *((f"sources/s{number}.atom", b"x") for number in range(200)))
    assert time.monotonic() - started < 20
    assert len(failures) == 200
    assert "answered 500 Planned; what was published before was kept" in failures[0]
    assert f"{MAX_FAILURES} uploads in a row failed, so the others were not tried" in failures[-1]
    assert len({failure.partition(" uploads")[0] for failure in failures}) < 25
    storage_server.before = lambda method, path: None
    destination.begin()
    assert put(destination, ("all.atom", b"x")) == []


def test_a_server_that_does_not_answer_is_waited_for_so_long(
    bucket: Bucket, storage_server: StorageServer
) -> None:
    def sleep(method: str, path: str) -> None:
        time.sleep(1.5)

    storage_server.before = sleep
    with pytest.raises(PublishError, match=r"cannot be listed: .*took too long to answer"):
        storage(bucket, request_seconds=0.3).begin()
