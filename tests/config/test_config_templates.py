"""The owner's templates are read with limits."""

from pathlib import Path

import pytest

from aggregator.config import templates
from aggregator.model.errors import UnusableError


def test_templates_are_read_by_name_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "feed.html").write_text("\ufeffeins", "utf-8")
    (tmp_path / "feeds.css").write_text("zwei")
    for other in (".hidden.html", "notes.txt", "a b.html", "feed.html~"):
        (tmp_path / other).write_text("nothing")
    assert templates.read(tmp_path) == {"feed.html": "eins", "feeds.css": "zwei"}
    names = [path.name for path in templates.files(tmp_path)]
    assert names == [tmp_path.name, "feed.html", "feeds.css"]


def test_a_folder_has_limits(tmp_path: Path) -> None:
    for number in range(templates.MAX_FILES + 1):
        (tmp_path / f"{number}.html").touch()
    with pytest.raises(UnusableError, match="more than 100 templates"):
        templates.read(tmp_path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "feed.html").mkdir()
    with pytest.raises(UnusableError, match="is not a file"):
        templates.read(tmp_path)
