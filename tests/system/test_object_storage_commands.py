"""Commands other than builds, where feeds are published into object storage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
import requests
from conftest import COMMAND, Site, article
from storage_server import Bucket, StorageServer
from waiting import wait_for


@pytest.fixture
def remote(site: Site, bucket: Bucket, storage_server: StorageServer) -> Site:
    """A built site."""
    url = f"s3://{bucket.name}/feeds"
    site.configure(lambda text: text.replace("directory: feeds", f"directory: {url}"))
    site.post("1.md", article())
    site.build(environment=storage_server.environment)
    return site


def test_a_wrong_place_is_named_with_file_line_and_key(site: Site) -> None:
    site.configure(lambda text: text.replace("directory: feeds", "directory: s3:///feeds"))
    result = site.run("build-feeds")
    assert result.code == 2
    assert "config.yaml:9: feeds.directory: must name a bucket: s3://BUCKET/PREFIX" in result.err
    place = {"AGGREGATOR_FEEDS_DIRECTORY": "s4://bucket"}
    result = site.run("check", environment=place)
    assert "environment: AGGREGATOR_FEEDS_DIRECTORY: feeds.directory: must be" in result.err


def test_the_storage_serves_the_feeds(remote: Site, bucket: Bucket) -> None:
    result = remote.run("serve")
    assert result.code == 2
    url = f"s3://{bucket.name}/feeds"
    assert f"{url}: feeds in object storage are served by the storage" in result.err
    assert f"ReadWritePaths=-{remote.root}/var\n" in remote.run("systemd").out
    assert f"feeds: {url}, served at https://finews.example.org/feeds/" in remote.run("check").out


def test_status_says_what_is_missing_and_that_the_server_is_away(
    remote: Site, bucket: Bucket, storage_server: StorageServer
) -> None:
    bucket.remove("feeds/all.atom")
    found = remote.run("status", "--json", environment=storage_server.environment).json
    on_disk = {feed["file"]: feed["on_disk"] for feed in found["feeds"]}
    assert on_disk == {"all.atom": False, "sources/huaxiashibao.atom": True}
    assert found["feeds_error"] is None
    storage_server.before = lambda method, path: "403 Forbidden"
    result = remote.run("status", environment=storage_server.environment)
    assert result.code == 0
    assert f"feeds: s3://{bucket.name}/feeds: cannot be listed: " in result.out
    assert "missing" not in result.out


def test_a_check_finds_what_is_wrong_with_objects(
    remote: Site, bucket: Bucket, storage_server: StorageServer
) -> None:
    bucket.write("feeds/all.atom", bucket.read("feeds/all.atom")[:-9])
    result = remote.run("check", "--feeds", environment=storage_server.environment)
    assert result.code == 1
    assert f"s3://{bucket.name}/feeds/all.atom:" in result.out
    for path in bucket.objects():
        bucket.remove(path)
    result = remote.run("check", "--feeds", environment=storage_server.environment)
    assert result.code == 1
    assert "no feeds there yet; run aggregator build-feeds first" in result.err


def test_the_daemon_publishes_and_serves_its_health_alone(
    remote: Site, bucket: Bucket, storage_server: StorageServer
) -> None:
    daemon = subprocess.Popen(
        [str(COMMAND), "run", "--listen", "127.0.0.1:0"],
        cwd=remote.root,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **storage_server.environment},
    )
    try:
        wait_for(lambda: (remote.store.parent / "aggregator.db.daemon").exists())
        bucket.remove("feeds/all.atom")
        remote.post("2.md", article("zwei", date="2022-01-28"))
        wait_for(lambda: "feeds/all.atom" in bucket.objects())
        wait_for(lambda: b"zwei" in bucket.read("feeds/all.atom"))
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, log = daemon.communicate(timeout=30)
    assert daemon.returncode == 0, log
    assert "Traceback" not in log


def test_with_listen_there_is_no_feed(remote: Site, storage_server: StorageServer) -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon = subprocess.Popen(
        [str(COMMAND), "run", "--quiet", "--listen", str(port)],
        cwd=remote.root,
        env={**os.environ, **storage_server.environment},
    )

    def status(path: str) -> int:
        try:
            return requests.get(f"http://127.0.0.1:{port}/{path}", timeout=5).status_code
        except requests.ConnectionError:
            return 0

    try:
        wait_for(lambda: status("health") == 200)
        assert (status("metrics"), status("all.atom")) == (200, 404)
    finally:
        daemon.terminate()
        daemon.wait(30)


def test_a_folder_needs_nothing_of_it(site: Site) -> None:
    site.post("1.md", article())
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "aggregator", "build-feeds"],
        cwd=site.root,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not [name for name in names if name.startswith("obstore") or "storage" in name]
