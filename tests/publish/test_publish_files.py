"""A published file is the old one or the new one, never half of one."""

import gzip
import os
from pathlib import Path

import pytest

from aggregator.model.errors import PublishError
from aggregator.publish.files import Folder


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def publish(folder: Path, data: bytes, *codings: str) -> None:
    destination = Folder(folder, codings)
    (files,) = destination.put([destination.prepare("sub/a.atom", data)])
    assert not isinstance(files, PublishError)


def test_a_prepared_file_is_beside_the_old_one_until_it_is_put(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    folder = Folder(tmp_path)
    (file,) = folder.prepare("sub/a.atom", b"new")
    assert file.is_new
    assert (tmp_path / "sub" / "a.atom").read_bytes() == b"old"
    assert file.temporary is not None
    assert file.temporary.parent == tmp_path / "sub"
    assert list(folder.put([[file]])) == [(file,)]
    assert (tmp_path / "sub" / "a.atom").read_bytes() == b"new"
    assert names(tmp_path) == {"sub/a.atom"}
    assert folder.left_file("sub/a.atom") == file.left
    assert folder.is_as_left([file.left], full=True)


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    os.utime(tmp_path / "sub" / "a.atom", (1, 1))
    (file,) = Folder(tmp_path).prepare("sub/a.atom", b"old")
    assert not file.is_new
    assert file.temporary is None
    assert file.left.mtime_ns == 10**9


def test_codings_go_with_their_file(tmp_path: Path) -> None:
    publish(tmp_path, b"eins", "gzip", "br")
    assert names(tmp_path) == {"sub/a.atom", "sub/a.atom.gz", "sub/a.atom.br"}
    packed, plain = (tmp_path / "sub" / name for name in ("a.atom.gz", "a.atom"))
    assert gzip.decompress(packed.read_bytes()) == b"eins"
    assert packed.stat().st_mtime_ns == plain.stat().st_mtime_ns
    publish(tmp_path, b"zwei", "gzip")
    assert names(tmp_path) == {"sub/a.atom", "sub/a.atom.gz"}
    folder = Folder(tmp_path)
    folder.remove("sub/a.atom")
    assert names(tmp_path) == set()
    folder.remove("sub/a.atom")
    folder.remove("none/a.atom")
    folder.sync([])


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    for data, is_new in ((b"old", False), (b"new", True)):
        (file,) = Folder(tmp_path, ["gzip"]).prepare("sub/a.atom", data, dry_run=True)
        assert (file.is_new, file.temporary) == (is_new, None)
    assert names(tmp_path) == {"sub/a.atom"}


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "sub").write_text("a file in the way")
    folder = Folder(tmp_path)
    with pytest.raises(PublishError, match="cannot be written"):
        folder.prepare("sub/a.atom", b"x")
    (tmp_path / "b.atom").mkdir()
    files = [folder.prepare(name, b"x") for name in ("c.atom", "d.atom")]
    (tmp_path / "c.atom").mkdir()
    failure, done = folder.put(files)
    assert "what was there before was kept" in str(failure)
    assert done == tuple(files[1])
    assert names(tmp_path) == {"sub", "d.atom"}
    with pytest.raises(PublishError, match="cannot be removed"):
        folder.remove("c.atom")


def test_what_was_altered_is_noticed(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    folder = Folder(tmp_path)
    left = folder.left_file("sub/a.atom")
    assert left is not None
    path = tmp_path / "sub" / "a.atom"
    path.write_bytes(b"bad")
    os.utime(path, ns=(left.mtime_ns, left.mtime_ns))
    assert folder.is_as_left([left])
    assert not folder.is_as_left([left], full=True)
    path.write_bytes(b"longer")
    assert not folder.is_as_left([left])
    path.unlink()
    assert not folder.is_as_left([left])
    assert folder.left_file("sub/a.atom") is None
    assert folder.left_file("sub") is None


def test_only_files_are_found_and_read(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    folder = Folder(tmp_path)
    (tmp_path / "sub" / "b.atom").mkdir()
    os.mkfifo(tmp_path / "sub" / "c.atom")
    assert folder.find("sub/*.atom") == ["sub/a.atom"]
    assert folder.read("sub/a.atom", 2) == b"ol"
    assert folder.read("sub/none", 9) is None
    assert folder.read("sub/c.atom", 9) is None
    with pytest.raises(PublishError, match="cannot be read"):
        folder.read("sub/b.atom", 9)


def test_leftovers_of_a_killed_run_go_and_other_files_stay(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (file,) = folder.prepare("a.atom", b"x")
    (tmp_path / "mine.tmp").write_text("x")
    assert len(names(tmp_path)) == 2
    folder.begin(dry_run=True)
    assert len(names(tmp_path)) == 2
    folder.begin()
    assert names(tmp_path) == {"mine.tmp"}
    folder.sync([file])
    (file,) = folder.prepare("sub/a.atom", b"x")
    folder.begin()
    file.discard()
    (tmp_path / "sub").rmdir()
    with pytest.raises(PublishError, match="cannot be synced"):
        folder.sync([file])
