"""The files that differ from the known ones."""

import os
from pathlib import Path

import pytest

from aggregator.model.polls import FileState
from aggregator.origins.posts.changed_files import ChangedFiles, ToRead


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1000, 1000))
    return tmp_path


def look(
    folder: Path, known: list[FileState], *, read_all: bool = False
) -> tuple[ChangedFiles, list[ToRead]]:
    paths = sorted(path.name for path in folder.iterdir())
    changed = ChangedFiles(str(folder), paths, iter(known), read_all, settle=False)
    return changed, [due for piece in changed.pieces(2) for due in piece]


def known_states(folder: Path) -> list[FileState]:
    _, due = look(folder, [])
    return [item.state._replace(content_hash=item.path.encode()) for item in due]


def test_what_is_unchanged_is_not_due(folder: Path) -> None:
    known = known_states(folder)
    changed, due = look(folder, known)
    assert (due, changed.gone, changed.problems, changed.waiting) == ([], [], [], [])
    again = [state._replace(young=True) for state in known]
    assert [item.known_hash for item in look(folder, again)[1]] == [b"a.md", b"b.md", b"c.md"]
    every = look(folder, known, read_all=True)[1]
    assert next((item.known_hash, item.reread_hash) for item in every) == (b"", b"a.md")


def test_what_came_changed_and_went(folder: Path) -> None:
    known = known_states(folder)
    (folder / "b.md").unlink()
    (folder / "c.md").write_text("changed")
    (folder / "d.md").write_text("new")
    changed, due = look(folder, known)
    assert [(item.path, item.known_hash) for item in due] == [("c.md", b"c.md"), ("d.md", b"")]
    assert changed.gone == ["b.md"]


def test_what_is_no_file_is_a_problem(folder: Path) -> None:
    os.mkfifo(folder / "d.md")
    (folder / "e.md").symlink_to("missing")
    changed, due = look(folder, known_states(folder))
    assert due == []
    assert [problem.location for problem in changed.problems] == ["d.md", "e.md"]


def test_numbers_that_no_column_holds_stay_different(folder: Path) -> None:
    try:
        os.utime(folder / "a.md", ns=(0, 2**63 + 5))
    except (OSError, OverflowError):
        pytest.skip("the file system has no such time")
    (state, *_) = known_states(folder)
    assert -(2**63) <= state.mtime_ns < 2**63
