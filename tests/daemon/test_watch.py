"""Changes of folders are noticed, whatever becomes of the folders."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import wait_for

from aggregator.daemon import watch
from aggregator.daemon.health import Health


@pytest.fixture
def watched(
    tmp_path: Path, health: Health, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder that is watched, and a function that waits for a change to be noticed."""
    monkeypatch.setattr(watch, "DEBOUNCE", 50)
    monkeypatch.setattr(watch, "LONGEST_WAIT", 100)
    monkeypatch.setattr(watch, "RETRY", 0.05)
    folder, changed = tmp_path / "posts", threading.Event()
    folder.mkdir()
    found = watch.FolderWatch([(folder, False)], changed.set, health)

    def noticed() -> None:
        wait_for(changed.is_set)
        changed.clear()

    noticed()  # a new watch does not know what changed before it
    yield folder, noticed
    found.close()
    assert health.open_failures() == []


def test_a_new_a_changed_and_a_removed_file(watched: tuple[Path, Callable[[], None]]) -> None:
    folder, noticed = watched
    (folder / "1.md").write_text("eins")
    noticed()
    (folder / "1.md").write_text("zwei")
    noticed()
    (folder / "1.md").unlink()
    noticed()


def test_a_folder_that_takes_the_place_of_another(
    watched: tuple[Path, Callable[[], None]],
) -> None:
    folder, noticed = watched
    folder.rename(folder.with_name("away"))
    noticed()
    folder.mkdir()
    noticed()
    (folder / "1.md").write_text("eins")
    noticed()
