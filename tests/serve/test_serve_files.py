"""Published files as responses, read once until they change."""

import asyncio
import gzip
import os
from pathlib import Path

import brotli
import pytest

from aggregator.serve import files
from aggregator.serve.files import PublishedFiles, Representation

SEALED = b'<feed><link rel="next-archive" href="x"/></feed>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("sources", "archives/sources"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("all.atom", "sources/a-1.json", "archives/all.7.atom", "index.html", "feed.css"):
        (tmp_path / name).write_bytes(b"x" * 1000)
    return tmp_path


def find(folder: Path, *wanted: tuple[str, str]) -> list[Representation | None]:
    async def run() -> list[Representation | None]:
        published = PublishedFiles(folder)
        return [await published.find(path, coding) for path, coding in wanted]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "media_type", "caching"),
    [
        ("/all.atom", "application/atom+xml", "max-age=60,"),
        ("/sources/a-1.json", "application/feed+json", "max-age=60,"),
        ("/archives/all.7.atom", "application/atom+xml", "max-age=60,"),
        ("/index.html", "text/html", "max-age=60,"),
        ("/feed.css", "text/css", "max-age=3600"),
    ],
)
def test_what_is_published(folder: Path, path: str, media_type: str, caching: str) -> None:
    (found,) = find(folder, (path, ""))
    assert found is not None
    assert found.whole.body == b"x" * 1000
    assert found.whole.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert caching in found.whole.headers["cache-control"]
    assert found.not_modified.headers["etag"] == found.whole.headers["etag"]
    assert found.not_modified.body == b""
    is_xml = path.endswith(".atom")
    shown = found.for_browsers.headers["content-type"]
    assert (shown == "application/xml; charset=utf-8") is is_xml


@pytest.mark.parametrize(
    "path",
    ["/none.atom", "/../x.atom", "/sources/../all.atom", "/secret.txt", "/link.atom", "/pipe.atom",
     "/dir.atom", "/all.atom/", "all.atom", "/all.atom.gz", "/.aggregator-1.tmp", "//all.atom",
     "/archives/archives/all.7.atom", "/all.7777777777.atom"],
)  # fmt: skip
def test_nothing_else_is(folder: Path, path: str) -> None:
    (folder.parent / "x.atom").write_bytes(b"secret")
    (folder / "secret.txt").write_bytes(b"secret")
    (folder / "link.atom").symlink_to(folder / "secret.txt")
    (folder / "all.atom.gz").write_bytes(b"secret")
    (folder / "dir.atom").mkdir()
    os.mkfifo(folder / "pipe.atom")
    assert find(folder, (path, "")) == [None]


def test_a_sealed_archive_never_changes_and_no_other_file_is_one(folder: Path) -> None:
    for name in ("all.atom", "archives/all.7.atom"):
        (folder / name).write_bytes(SEALED)
    feed, archive = find(folder, ("/all.atom", ""), ("/archives/all.7.atom", ""))
    assert feed is not None
    assert archive is not None
    assert "immutable" in archive.whole.headers["cache-control"]
    assert "immutable" not in feed.whole.headers["cache-control"]


def test_a_coding_is_that_of_the_packed_file_unless_it_is_older(folder: Path) -> None:
    packed = folder / "all.atom.gz"
    packed.write_bytes(gzip.compress(b"packed before"))
    found, other = find(folder, ("/all.atom", "gzip"), ("/all.atom", "br"))
    assert found is not None
    assert other is not None
    assert gzip.decompress(found.whole.body) == b"packed before"
    assert found.whole.headers["content-encoding"] == "gzip"
    assert brotli.decompress(other.whole.body) == b"x" * 1000
    os.utime(packed, (1, 1))
    (found,) = find(folder, ("/all.atom", "gzip"))
    assert found is not None
    assert gzip.decompress(found.whole.body) == b"x" * 1000


def test_a_file_is_read_once_until_it_changes(folder: Path) -> None:
    async def run() -> None:
        published = PublishedFiles(folder)
        at_once = (published.find("/all.atom", ""), published.find("/all.atom", ""))
        first, second = await asyncio.gather(*at_once)
        assert first is second is await published.find("/all.atom", "")
        (folder / "new").write_bytes(b"neu")
        os.replace(folder / "new", folder / "all.atom")
        third = await published.find("/all.atom", "")
        assert third is not None
        assert third.whole.body == b"neu"
        (folder / "all.atom").unlink()
        assert await published.find("/all.atom", "") is None

    asyncio.run(run())


def test_no_more_is_kept_than_there_is_room_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_KEPT", 4000)

    async def run() -> None:
        published = PublishedFiles(folder)
        names = [
            "/all.atom",
            "/sources/a-1.json",
            "/archives/all.7.atom",
            "/index.html",
            "/feed.css",
        ]
        for name in names * 2:
            await published.find(name, "")
        assert published._size == 4000
        assert len(published._kept) == 4
        (folder / "all.atom").write_bytes(b"y" * 1001)
        for _ in range(2):
            found = await published.find("/all.atom", "")
            assert found is not None
            assert len(found.whole.body) == 1001
        assert ("/all.atom", "") not in published._kept

    asyncio.run(run())
