"""A published file is the old one or the new one, never half of one."""

import gzip
import os
from pathlib import Path

import pytest

from aggregator.model.errors import PublishError
from aggregator.publish.files import (
    is_as_left,
    left_file,
    prepare,
    put,
    remove,
    remove_leftovers,
    sync_folders,
)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def publish(folder: Path, data: bytes, *codings: str) -> None:
    for file in reversed(prepare(folder, "sub/a.atom", data, codings)):
        put(folder, file, codings)


def test_a_prepared_file_is_beside_the_old_one_until_it_is_put(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    (file,) = prepare(tmp_path, "sub/a.atom", b"new", ())
    assert file.is_new
    assert (tmp_path / "sub" / "a.atom").read_bytes() == b"old"
    assert file.temporary is not None
    assert file.temporary.parent == tmp_path / "sub"
    put(tmp_path, file, ())
    assert (tmp_path / "sub" / "a.atom").read_bytes() == b"new"
    assert names(tmp_path) == {"sub/a.atom"}
    assert left_file(tmp_path, "sub/a.atom") == file.left
    assert is_as_left([file.left], tmp_path, full=True)


def test_the_same_bytes_are_not_written_again(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    os.utime(tmp_path / "sub" / "a.atom", (1, 1))
    (file,) = prepare(tmp_path, "sub/a.atom", b"old", ())
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
    remove(tmp_path, "sub/a.atom")
    assert names(tmp_path) == set()
    remove(tmp_path, "sub/a.atom")
    remove(tmp_path, "none/a.atom")


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    for data, is_new in ((b"old", False), (b"new", True)):
        (file,) = prepare(tmp_path, "sub/a.atom", data, ("gzip",), dry_run=True)
        assert (file.is_new, file.temporary) == (is_new, None)
    assert names(tmp_path) == {"sub/a.atom"}


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "sub").write_text("a file in the way")
    with pytest.raises(PublishError, match="cannot be written"):
        prepare(tmp_path, "sub/a.atom", b"x", ())
    (tmp_path / "b.atom").mkdir()
    (file,) = prepare(tmp_path, "c.atom", b"x", ())
    (tmp_path / "c.atom").mkdir()
    with pytest.raises(PublishError, match="the previously published file was kept"):
        put(tmp_path, file, ())
    assert names(tmp_path) == {"sub"}
    with pytest.raises(PublishError, match="cannot be removed"):
        remove(tmp_path, "c.atom")


def test_what_was_altered_is_noticed(tmp_path: Path) -> None:
    publish(tmp_path, b"old")
    left = left_file(tmp_path, "sub/a.atom")
    assert left is not None
    path = tmp_path / "sub" / "a.atom"
    path.write_bytes(b"bad")
    os.utime(path, ns=(left.mtime_ns, left.mtime_ns))
    assert is_as_left([left], tmp_path)
    assert not is_as_left([left], tmp_path, full=True)
    path.write_bytes(b"longer")
    assert not is_as_left([left], tmp_path)
    path.unlink()
    assert not is_as_left([left], tmp_path)
    assert left_file(tmp_path, "sub/a.atom") is None
    assert left_file(tmp_path, "sub") is None


def test_leftovers_of_a_killed_run_go_and_other_files_stay(tmp_path: Path) -> None:
    prepare(tmp_path, "a.atom", b"x", ())
    (tmp_path / "mine.tmp").write_text("x")
    assert len(names(tmp_path)) == 2
    remove_leftovers([tmp_path, tmp_path / "none"])
    assert names(tmp_path) == {"mine.tmp"}
    sync_folders([tmp_path])
    with pytest.raises(PublishError, match="cannot be synced"):
        sync_folders([tmp_path / "none", tmp_path])
