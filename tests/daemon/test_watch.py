"""Changes of folders are noticed and named, whatever becomes of the folders."""

import errno
import itertools
import os
import shutil
import sys
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from waiting import wait_for

from aggregator.daemon import watch
from aggregator.daemon.health import Health
from aggregator.daemon.watch import FolderWatch, Watched

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="inotify is of Linux"),
    pytest.mark.usefixtures("inotify"),
]

LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")


class Events:
    """What a watch of a folder says; `unknown` counts changes without a name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self.names: set[str] = set()
        self.unknown = 0
        self.is_held = threading.Event()

    def changed(self, name: str, paths: Collection[str] | None) -> None:
        assert name == "posts"
        with self._lock:
            self.unknown += paths is None
            self.names.update(paths or ())
        while self.is_held.is_set():
            self.is_held.wait(0.01)

    def named(self, *names: str) -> None:
        """Wait until these files were named; forget them, and make sure of no others."""
        wait_for(lambda: set(names) <= self.names)
        assert self.names == set(names)
        self.names.clear()

    def without_names(self) -> None:
        """Wait for a change without a name, and forget it."""
        wait_for(lambda: self.unknown > 0)
        self.unknown = 0
        self.names.clear()


@pytest.fixture
def events(
    tmp_path: Path, health: Health, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Events]:
    """A folder that is watched, with its subfolders unless the parameter is False."""
    monkeypatch.setattr(watch, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(watch, "RETRY", 0.05)
    folder = tmp_path / "posts"
    folder.mkdir()
    found = Events(folder)
    is_tree = getattr(request, "param", True)
    watching = FolderWatch([Watched("posts", folder, is_tree)], found.changed)
    watching.start(health)
    yield found
    watching.close()
    assert health.open_failures() == []


def test_each_file_is_named(events: Events) -> None:
    post = events.folder / "1.md"
    post.write_text("eins")
    events.named("1.md")
    with post.open("a") as file:
        file.write("zwei")
    events.named("1.md")
    post.chmod(0o600)
    events.named("1.md")
    post.rename(events.folder / "2.md")
    events.named("1.md", "2.md")
    (events.folder / "3.md").hardlink_to(events.folder / "2.md")
    (events.folder / "4.md").symlink_to("2.md")
    events.named("3.md", "4.md")
    (events.folder / "2.md").unlink()
    events.named("2.md")
    outside = events.folder.with_name("outside.md")
    outside.write_text("drei")
    outside.rename(events.folder / os.fsdecode(b"\xff.md"))
    events.named(os.fsdecode(b"\xff.md"))
    assert events.unknown == 0


def test_a_new_folder_and_all_that_is_in_it_is_named(events: Events) -> None:
    (events.folder / "2022").mkdir()
    (events.folder / "2022" / "1.md").write_text("eins")
    events.named("2022/1.md")
    away = events.folder.with_name("away")
    (away / "01").mkdir(parents=True)
    (away / "01" / "2.md").write_text("zwei")
    away.rename(events.folder / "2023")
    events.named("2023/01/2.md")
    (events.folder / "2023" / "01" / "3.md").write_text("drei")
    events.named("2023/01/3.md")
    assert events.unknown == 0


def test_a_file_that_stays_open_is_named(events: Events) -> None:
    with (events.folder / "1.md").open("w") as file:
        events.named("1.md")
        file.write("eins")
        file.flush()
        events.named("1.md")
    events.named("1.md")
    os.truncate(events.folder / "1.md", 0)
    events.named("1.md")


def test_a_folder_of_posts_changes_what_counts(events: Events) -> None:
    (events.folder / "_posts").mkdir()
    events.without_names()
    (events.folder / "_posts" / "1.md").write_text("eins")
    events.named("_posts/1.md")


def test_a_folder_that_cannot_be_read_ends_no_watch(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_watch = watch.INotify.add_watch

    def refuse(inotify: watch.INotify, path: Path, mask: int) -> int:
        if path.name == "closed" and not path.stat().st_mode & 0o400:
            raise PermissionError(errno.EACCES, "Permission denied")
        return add_watch(inotify, path, mask)  # type: ignore[no-any-return]

    monkeypatch.setattr(watch.INotify, "add_watch", refuse)
    (events.folder / "closed").mkdir(mode=0)
    (events.folder / "1.md").write_text("eins")
    events.named("1.md")
    (events.folder / "closed").chmod(0o700)
    (events.folder / "closed" / "2.md").write_text("zwei")
    events.named("closed/2.md")
    assert events.unknown == 0


def test_of_a_folder_that_goes_nothing_is_named(events: Events) -> None:
    (events.folder / "2022").mkdir()
    (events.folder / "2022" / "1.md").write_text("eins")
    events.named("2022/1.md")
    (events.folder / "2022").rename(events.folder.with_name("away"))
    events.without_names()
    (events.folder / "2.md").write_text("zwei")
    wait_for(lambda: "2.md" in events.names or events.unknown)


def test_folders_without_posts_are_not_watched(events: Events) -> None:
    for name in (".git", "_drafts", "node_modules"):
        (events.folder / name).mkdir()
        (events.folder / name / "1.md").write_text("eins")
        shutil.rmtree(events.folder / name)
    (events.folder / "1.md").write_text("eins")
    events.named("1.md")
    assert events.unknown == 0


@pytest.mark.parametrize("events", [False], indirect=True)
def test_without_subfolders_they_are_not_watched(events: Events) -> None:
    (events.folder / "2022").mkdir()
    (events.folder / "2022" / "1.md").write_text("eins")
    (events.folder / "2.md").write_text("zwei")
    events.named("2.md")


def test_a_folder_that_takes_the_place_of_another(events: Events) -> None:
    events.folder.rename(events.folder.with_name("away"))
    events.without_names()
    events.folder.mkdir()
    events.without_names()
    (events.folder / "1.md").write_text("eins")
    events.named("1.md")
    shutil.rmtree(events.folder)
    events.without_names()


def test_a_limit_that_is_reached_is_no_lost_change(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    add_watch = watch.INotify.add_watch
    monkeypatch.setattr(watch.INotify, "add_watch", refuse)
    (events.folder / "1.md").write_text("eins")
    (events.folder / "2022").mkdir()
    events.without_names()
    monkeypatch.setattr(watch.INotify, "add_watch", add_watch)
    events.without_names()
    (events.folder / "2022" / "2.md").write_text("zwei")
    events.named("2022/2.md")


def test_the_files_of_a_folder_that_can_be_entered_again_are_named(events: Events) -> None:
    folder = events.folder / "2022"
    folder.mkdir()
    (folder / "1.md").write_text("eins")
    wait_for(lambda: "2022/1.md" in events.names)
    events.names.clear()
    folder.chmod(0)
    folder.chmod(0o755)
    wait_for(lambda: "2022/1.md" in events.names)


def test_what_changes_without_a_pause_is_named_meanwhile(events: Events) -> None:
    is_enough = threading.Event()

    def write() -> None:
        for number in itertools.count():
            (events.folder / f"{number}.md").write_text("")
            if is_enough.wait(0.01):
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_for(lambda: events.names)
    finally:
        is_enough.set()
        writer.join()


def test_what_changes_before_the_start_is_named(tmp_path: Path, health: Health) -> None:
    events = Events(tmp_path)
    watching = FolderWatch([Watched("posts", tmp_path, True)], events.changed)
    (tmp_path / "1.md").write_text("eins")
    watching.start(health)
    events.named("1.md")
    watching.close()
    assert events.unknown == 0


def test_a_folder_that_comes_later_is_watched_from_then_on(
    tmp_path: Path, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "RETRY", 0.05)
    events = Events(tmp_path / "posts")
    watching = FolderWatch([Watched("posts", events.folder, True)], events.changed)
    watching.start(health)
    events.folder.mkdir()
    events.without_names()
    (events.folder / "1.md").write_text("eins")
    wait_for(lambda: "1.md" in events.names)
    watching.close()


@pytest.mark.alone_with_inotify
@pytest.mark.skipif(not os.access(LIMIT, os.W_OK), reason="needs to set a limit of the kernel")
def test_a_queue_that_overflows_loses_no_change(
    tmp_path: Path, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel has room for few events, and more come than that while nobody reads them."""
    monkeypatch.setattr(watch, "LONGEST_WAIT", 0.1)
    events = Events(tmp_path)
    before = LIMIT.read_text()
    LIMIT.write_text("16")
    try:
        watching = FolderWatch([Watched("posts", tmp_path, True)], events.changed)
    finally:
        # A queue keeps the limit with which it was made.
        LIMIT.write_text(before)
    watching.start(health)
    events.is_held.set()
    (tmp_path / "first.md").write_text("")
    wait_for(lambda: "first.md" in events.names)
    for number in range(100):
        (tmp_path / f"{number}.md").write_text("")
    events.is_held.clear()
    events.without_names()
    (tmp_path / "last.md").write_text("")
    wait_for(lambda: "last.md" in events.names or events.unknown)
    watching.close()
    assert health.open_failures() == []
