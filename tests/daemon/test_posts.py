"""The daemon's work on posts follows events, and scans where they do not say enough."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Site, article
from waiting import wait_for

from aggregator.config.load import load_settings
from aggregator.daemon import watch
from aggregator.daemon.due import Due
from aggregator.daemon.health import Health
from aggregator.daemon.posts import PostsWork
from aggregator.model.errors import LockedError
from aggregator.pipeline import building

KINDS = {"posts", "files", "build"}


class Stage:
    """The stage on a site, whose events are taken when a test asks for them."""

    def __init__(self, site: Site, health: Health) -> None:
        self.site, self.health = site, health
        self.due = Due()
        self.failures: list[str] = []
        self.settings = load_settings(site.config)
        roles = frozenset(["posts", "build"])
        self.posts = PostsWork(site.config, health, self.due, roles, threading.Event().is_set)
        self.posts.watch(self.settings)
        self.posts.start()

    def run(self, *due: str) -> int | None:
        """Do what is due; return how many files were read, None if nothing was done."""
        read = None

        def work() -> list[str]:
            nonlocal read
            outcome = self.posts.poll_and_build(set(due), self.settings, is_loaded=True)
            if outcome is None:
                self.failures = []
            else:
                self.failures, read = outcome.failures, outcome.poll.read
            return self.failures

        self.health.run_stage("posts", work)
        return read

    def event(self) -> int | None:
        """Wait for an event, and do what it asks for."""
        wait_for(lambda: "files" in self.due.take(KINDS, 0.1))
        return self.run("files")

    def follow_until(self, titles: set[str]) -> None:
        """Do what events ask for until the feed has these titles, however they come."""

        def is_there() -> bool:
            if "files" in self.due.take(KINDS, 0.1):
                self.run("files")
            return self.titles() == titles

        wait_for(is_there)

    def titles(self) -> set[str]:
        return {entry.title for entry in self.site.entries()}


@pytest.fixture
def stage(site: Site, health: Health, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage after its first scan."""
    monkeypatch.setattr(watch, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(watch, "RETRY", 0.05)
    monkeypatch.setattr(watch, "is_local", lambda folder: True)
    land(site, 0)
    found = Stage(site, health)
    assert found.run("posts") == 1
    # The next scan on schedule is far away.
    found.posts._scans.scanned(1000.0, found=False)
    yield found
    found.posts.close()


def land(site: Site, number: int, title: str = "", age: float = 3600) -> Path:
    """Let a post land in its folder, at an age (in seconds) at which it is read once."""
    waiting = site.root / "waiting.tmp"
    text = article(title or f"标题{number}", date=f"2022-01-27 10:0{number}:00 +0800")
    waiting.write_text(text, encoding="utf-8")
    written = time.time() - age
    os.utime(waiting, (written, written))
    path = site.posts / f"{number}.md"
    waiting.rename(path)
    return path


def silently(stage: Stage, number: int, title: str = "") -> None:
    """Change a post, and lose the event."""
    land(stage.site, number, title)
    wait_for(lambda: "files" in stage.due.take(KINDS, 0.1))
    stage.posts._take(is_scheduled=False)


def test_only_what_events_name_is_looked_at(stage: Stage) -> None:
    silently(stage, 1)
    land(stage.site, 2)
    assert stage.event() == 1
    assert stage.titles() == {"标题0", "标题2"}
    stage.posts.must_scan()
    assert stage.run("posts") == 1
    assert stage.titles() == {"标题0", "标题1", "标题2"}


def test_a_post_that_changes_moves_and_goes(stage: Stage) -> None:
    land(stage.site, 0, "anders")
    assert stage.event() == 1
    assert stage.titles() == {"anders"}
    (stage.site.posts / "0.md").rename(stage.site.posts / "1.md")
    stage.event()
    assert stage.titles() == {"anders"}
    land(stage.site, 2)
    stage.follow_until({"anders", "标题2"})
    stage.site.configure(
        lambda text: text.replace("- path: posts", "- path: posts\n    when_removed: drop")
    )
    stage.settings = load_settings(stage.site.config)
    stage.run("reload")
    (stage.site.posts / "2.md").unlink()
    stage.follow_until({"anders"})


def test_when_all_posts_go_nothing_is_removed(stage: Stage) -> None:
    (stage.site.posts / "0.md").unlink()
    stage.event()
    assert "no post left where there were some; nothing was removed" in stage.failures[0]
    assert stage.titles() == {"标题0"}
    # After a failure, all files are looked at.
    for number in range(2):
        land(stage.site, number)
    assert stage.run("posts") == 1  # the other one is as it was
    assert stage.titles() == {"标题0", "标题1"}


def test_what_could_not_be_built_is_built_later(stage: Stage) -> None:
    feed = stage.site.feeds / "all.atom"
    feed.unlink()
    (feed / "folder").mkdir(parents=True)
    land(stage.site, 1)
    stage.event()
    assert "all.atom" in stage.failures[0]
    # Nothing is to be read, which is no success.
    for _ in range(2):
        assert stage.run("posts") == 0
        assert stage.failures
    shutil.rmtree(feed)
    assert stage.run("posts") == 0
    assert stage.failures == []
    assert stage.titles() == {"标题0", "标题1"}


def test_after_an_error_all_files_are_looked_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(stage.site, 1)

    def fail(*_: object) -> None:
        raise LockedError("another process holds the store")

    with monkeypatch.context() as patch:
        patch.setattr(building, "build_feeds", fail)
        stage.event()
    assert stage.run("posts") == 1
    assert stage.titles() == {"标题0", "标题1"}


def test_a_build_by_settings_that_the_file_no_longer_has_vouches_for_nothing(
    stage: Stage,
) -> None:
    stamp = stage.site.store.with_name(stage.site.store.name + ".current")
    for is_loaded in (False, True):
        land(stage.site, 0, f"{is_loaded}")
        stage.posts.must_scan()
        stage.posts.poll_and_build({"posts"}, stage.settings, is_loaded=is_loaded)
        assert stamp.exists() == is_loaded


def test_the_schedule_scans_what_no_event_named(stage: Stage) -> None:
    silently(stage, 1)
    # The last scan read little, but took its time: the next is not due yet.
    stage.posts._scans.scanned(1000.0, found=False)
    assert stage.run("posts") is None
    stage.posts._scans.scanned(0.0, found=False)
    assert stage.run("posts") == 1
    assert stage.titles() == {"标题0", "标题1"}


def test_a_file_that_has_just_been_written_is_looked_at_again(stage: Stage) -> None:
    land(stage.site, 1, age=0)
    stage.event()
    assert stage.due.is_due_later({"files"})
    assert stage.run("files") == 0


def test_a_broken_link_is_no_change_without_an_event(stage: Stage) -> None:
    (stage.site.posts / "1.md").symlink_to("missing")
    stage.event()
    stage.posts.must_scan()
    stage.run("posts")
    stage.posts.must_scan()
    stage.run("posts")
    assert stage.posts._scans._next > 0


def test_while_a_folder_cannot_be_watched_the_schedule_scans_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(watch, "INotify", refuse)
    stage.posts.watch(stage.settings)
    assert stage.run("posts") is None
    stage.posts._scans.scanned(1000.0, found=False)
    land(stage.site, 1)
    assert stage.run("posts") == 1


def test_a_file_that_is_being_written_is_looked_at_again(stage: Stage) -> None:
    path = stage.site.posts / "1.md"
    with path.open("w", encoding="utf-8") as file:
        file.write(article("标题1"))
        file.flush()
        stage.event()
        assert stage.titles() == {"标题0"}
    wait_for(lambda: stage.event() is not None and "标题1" in stage.titles())


def test_documents_of_archives_are_looked_for_by_scans(site: Site, health: Health) -> None:
    site.configure(lambda text: text + "  entries: 1\n  combined_entries: 1\n")
    for number in range(3):
        land(site, number)
    stage = Stage(site, health)
    try:
        assert stage.run("posts") == 3
        lost = site.feeds / "archives" / "all.1.atom"
        lost.unlink()
        land(site, 3)
        stage.event()
        assert not lost.exists()
        assert "标题2" in (site.feeds / "archives" / "all.3.atom").read_text("utf-8")
        stage.run("build")
        assert not lost.exists()
        stage.posts.must_scan()
        stage.run("posts")
        assert "标题0" in lost.read_text("utf-8")
    finally:
        stage.posts.close()
