"""Files that are replaced atomically."""

import os
from pathlib import Path

import pytest

from aggregator.model.atomic import replace_file, write_new


def test_a_file_is_replaced_whatever_a_killed_process_left(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    (tmp_path / "state.json.tmp").write_bytes(b"half of somethi")
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new")
    assert os.listdir(tmp_path) == ["state.json"]


def test_a_new_file_is_never_written_through_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"kept")
    link.symlink_to(target)
    with pytest.raises(FileExistsError):
        write_new(link, b"new", sync=True)
    assert link.is_symlink()
    assert target.read_bytes() == b"kept"
