"""`feeds: directory: s3://…` through the command line, against a small S3 server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable

import pytest
from conftest import COMMAND, Result, Site, article, share_url
from postgresql import new_database, terminate_connections
from storage_server import Bucket, StorageServer

EXTRA = "  extra: {ports: {words: ['1']}}\n"
FEEDS = "  formats: [atom, rss, json]\n  entries: 3\n  combined_entries: 4\n" + EXTRA
PREFIX = "pre/fix/"


@pytest.fixture
def remote(site: Site, bucket: Bucket) -> Site:
    """A site of 12 posts that publishes into the bucket, and is not built yet."""
    site.configure(lambda text: text + FEEDS)
    for number in range(12):
        post(site, number)
    to_bucket(site, bucket)
    return site


def to_bucket(site: Site, bucket: Bucket) -> None:
    url = f"s3://{bucket.name}/{PREFIX}"
    site.configure(lambda text: text.replace("directory: feeds", f"directory: {url}"))


def post(site: Site, number: int, text: str = "正文") -> None:
    source = f"source{number % 2}"
    share = share_url(f"NW20220127{number:010d}")
    date = f"2022-01-27 10:{number:02d}:00 +0800"
    body = f"<p>{text}{number}</p>"
    site.post(f"{number}.md", article(f"标题{number}", body, date=date, source=source, share=share))


def run(site: Site, storage_server: StorageServer, *arguments: str) -> Result:
    return site.run(*arguments, environment=storage_server.environment)


def build(site: Site, storage_server: StorageServer, *arguments: str, expect: int = 0) -> Result:
    result = site.build(*arguments, expect=expect, environment=storage_server.environment)
    assert "of-the-test" not in result.out + result.err  # no key of the environment
    return result


def published(bucket: Bucket) -> dict[str, bytes]:
    found = sorted(bucket.objects())
    assert all(path.startswith(PREFIX) for path in found)
    return {path.removeprefix(PREFIX): bucket.read(path) for path in found}


def as_in_a_folder(site: Site, make_site: Callable[[str], Site]) -> dict[str, bytes]:
    """What the same site publishes into a folder."""
    folder = make_site("folder")
    folder.configure(lambda text: text + FEEDS)
    for path in site.posts.iterdir():
        shutil.copy2(path, folder.posts)
    folder.build()
    files = sorted(path for path in folder.feeds.rglob("*") if path.is_file())
    return {path.relative_to(folder.feeds).as_posix(): path.read_bytes() for path in files}


def test_the_same_site_has_the_same_bytes_file_by_file(
    remote: Site, bucket: Bucket, storage_server: StorageServer, make_site: Callable[[str], Site]
) -> None:
    result = build(remote, storage_server)
    assert "4 of 4 feeds written" in result.out
    assert published(bucket) == as_in_a_folder(remote, make_site)
    assert not remote.feeds.exists()
    puts = [path for method, path in storage_server.requests if method == "PUT"]
    assert len(puts) == len(set(puts))
    assert puts[-1] == PREFIX + "index.html"
    assert puts.index(PREFIX + "feeds.opml") > puts.index(PREFIX + "all.atom")
    checked = run(remote, storage_server, "check", "--feeds")
    assert (checked.code, checked.out) == (0, "18 files, 0 problems\n")


def test_one_post_puts_only_what_changed(
    remote: Site, bucket: Bucket, storage_server: StorageServer, make_site: Callable[[str], Site]
) -> None:
    build(remote, storage_server)
    before = bucket.objects()
    storage_server.requests.clear()
    assert "0 of 4 feeds written" in build(remote, storage_server).out
    assert storage_server.requests == [("GET", "")]
    storage_server.requests.clear()
    post(remote, 13)
    build(remote, storage_server)
    after = bucket.objects()
    changed = {path for path in after if before.get(path) != after[path]}
    assert changed == {path for method, path in storage_server.requests if method == "PUT"}
    assert PREFIX + "sources/source0.atom" not in changed
    assert [path for method, path in storage_server.requests].count("") == 1
    assert published(bucket) == as_in_a_folder(remote, make_site)


def test_what_is_removed_or_altered_by_hand_is_made_again(
    remote: Site, bucket: Bucket, storage_server: StorageServer
) -> None:
    build(remote, storage_server)
    before = published(bucket)
    for path in ("sources/source0.rss", "archives/all.1.atom", "feeds.css", "all.json"):
        bucket.remove(PREFIX + path)
    for path in ("all.atom", "archives/sources/source1.1.atom", "index.html"):
        bucket.write(PREFIX + path, before[path] + b" ")
    build(remote, storage_server, "--dry-run")
    assert "archives/all.1.atom" not in published(bucket)
    build(remote, storage_server)
    # What no aggregator has made is kept, as in a folder.
    assert published(bucket) == before
    assert bucket.attributes(PREFIX + "all.atom")["Content-Type"].startswith("application/atom")


@pytest.mark.exhaustive
def test_what_is_not_configured_any_more_goes(
    remote: Site, bucket: Bucket, storage_server: StorageServer
) -> None:
    build(remote, storage_server)
    bucket.write(PREFIX + "extra/mine.txt", b"")
    text = remote.config.read_text("utf-8")
    text = text.replace(EXTRA, "").replace(", rss", "")
    remote.config.write_text(text, "utf-8")
    build(remote, storage_server)
    left = set(published(bucket))
    assert "extra/mine.txt" in left
    assert not [path for path in left if path.endswith(".rss")]
    assert [path for path in left if path.startswith("extra/")] == ["extra/mine.txt"]


@pytest.mark.exhaustive
def test_a_packed_object_says_so(
    remote: Site, bucket: Bucket, storage_server: StorageServer
) -> None:
    remote.configure(lambda text: text + "  compress: [gzip]\n")
    build(remote, storage_server)
    assert {bucket.attributes(path)["Content-Encoding"] for path in bucket.objects()} == {"gzip"}
    assert run(remote, storage_server, "check", "--feeds").code == 0
    remote.store.unlink()
    before = bucket.objects()
    build(remote, storage_server)
    assert bucket.objects() == before


def test_a_lost_store_learns_from_what_is_published(
    remote: Site, bucket: Bucket, storage_server: StorageServer
) -> None:
    build(remote, storage_server)
    post(remote, 3, "更正")
    build(remote, storage_server)
    before = bucket.objects()
    for path in remote.store.parent.iterdir():
        path.unlink()
    storage_server.before = lambda method, path: "503 Away"
    refused = build(remote, storage_server, expect=1)
    assert "503" in refused.err
    assert "A new store takes the dates of published entries from there" in refused.err
    storage_server.reset()
    build(remote, storage_server)
    assert bucket.objects() == before
    for path in (*remote.store.parent.iterdir(), *remote.posts.iterdir()):
        path.unlink()
    kept = build(remote, storage_server, expect=1)
    assert f"s3://{bucket.name}/pre/fix: no article is left to publish" in kept.err
    assert bucket.objects() == before


@pytest.mark.exhaustive
def test_a_server_that_fails_is_a_failure_and_the_next_build_goes_on(
    remote: Site, bucket: Bucket, storage_server: StorageServer, make_site: Callable[[str], Site]
) -> None:
    storage_server.before = lambda method, path: (
        "500 Broken" if path.endswith("source0.rss") else None
    )
    result = build(remote, storage_server, expect=1)
    url = f"s3://{bucket.name}/{PREFIX}sources/source0.rss"
    assert f"{url}: cannot be written: {storage_server.url} answered 500 Planned" in result.err
    assert "all.atom" in published(bucket)
    storage_server.before = lambda method, path: "403 Forbidden"
    result = build(remote, storage_server, expect=1)
    assert f"s3://{bucket.name}/pre/fix: cannot be listed: {storage_server.url} refused access" in (
        result.err
    )
    storage_server.reset()
    build(remote, storage_server)
    assert published(bucket) == as_in_a_folder(remote, make_site)


@pytest.mark.parametrize(
    "number",
    [
        9,
        pytest.param(1, marks=pytest.mark.exhaustive),
        pytest.param(20, marks=pytest.mark.exhaustive),
    ],
)
def test_a_killed_build_is_gone_on_with(
    remote: Site,
    bucket: Bucket,
    storage_server: StorageServer,
    make_site: Callable[[str], Site],
    number: int,
) -> None:
    started = start(remote, storage_server)
    counter = iter(range(1, 1000))

    def kill(method: str, path: str) -> None:
        if method == "PUT" and next(counter) == number:
            os.kill(started.pid, signal.SIGKILL)

    storage_server.before = kill
    started.communicate(timeout=60)
    assert started.returncode == -signal.SIGKILL
    storage_server.reset()
    build(remote, storage_server)
    assert published(bucket) == as_in_a_folder(remote, make_site)
    assert "0 of 4 feeds written" in build(remote, storage_server).out


def start(site: Site, storage_server: StorageServer) -> subprocess.Popen[str]:
    """A build under way."""
    return subprocess.Popen(
        [str(COMMAND), "build-feeds"],
        cwd=site.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **storage_server.environment},
    )


def test_a_stale_build_that_wakes_up_replaces_nothing_and_says_so(
    remote: Site, bucket: Bucket, storage_server: StorageServer, make_site: Callable[[str], Site]
) -> None:
    """It was stopped with its uploads on the way, and has lost its lock with its connections."""
    database = new_database()
    remote.configure(lambda text: text + f"store: {database}\n")
    build(remote, storage_server)
    for number in (12, 13):
        post(remote, number, "旧")
    arrived, go_on = threading.Event(), threading.Event()

    def hold(method: str, path: str) -> None:
        if method == "PUT":
            arrived.set()
            go_on.wait(60)

    storage_server.before = hold
    stale = start(remote, storage_server)
    try:
        assert arrived.wait(60)
        stale.send_signal(signal.SIGSTOP)
        terminate_connections(database)
        other = make_site("other")
        shutil.rmtree(other.root)
        shutil.copytree(remote.root, other.root)
        for number in (12, 13, 14):
            post(other, number, "新")
        second = StorageServer()
        build(other, second)
        second.close()
        newest = bucket.objects()
        assert "新12".encode() in bucket.read(PREFIX + "all.atom")
        go_on.set()
    finally:
        stale.send_signal(signal.SIGCONT)
        _, said = stale.communicate(timeout=60)
    assert stale.returncode == 1
    assert "Traceback" not in said
    assert "sources/source0.atom: another process has written it since this build began" in said
    assert f"let only one aggregator publish to s3://{bucket.name}/pre/fix" in said
    assert bucket.objects() == newest
    # The machine is no outlaw: with the lock, it goes on from what is there.
    storage_server.reset()
    for path in other.posts.iterdir():
        shutil.copy2(path, remote.posts)
    build(remote, storage_server)
    assert "新14".encode() in bucket.read(PREFIX + "all.atom")
    assert "0 of 4 feeds written" in build(remote, storage_server).out
