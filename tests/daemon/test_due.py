"""Which work is due: marked by any thread, taken by the one that does it."""

import threading
import time

from aggregator.daemon.due import Due


def test_what_is_due_is_taken_once_and_by_whom_it_is_for() -> None:
    due = Due()
    due.mark("posts", "lists")
    assert due.take({"lists"}, 0) == {"lists"}
    assert due.take({"lists"}, 0) == set()
    assert due.take({"posts", "build"}, 20) == {"posts"}
    due.mark_later(3600, "posts")
    due.mark_later(0.05, "posts")
    due.mark_later(3600, "posts")
    assert due.is_due_later({"posts", "build"})
    assert not due.is_due_later({"build"})
    started = time.monotonic()
    assert due.take({"posts"}, 20) == {"posts"}
    assert time.monotonic() - started >= 0.05
    assert not due.is_due_later({"posts"})
    assert due.take({"posts"}, 0.01) == set()


def test_a_wait_ends_when_something_is_marked() -> None:
    due = Due()
    found: list[set[str]] = []
    thread = threading.Thread(target=lambda: found.append(due.take({"hubs"}, 60)))
    thread.start()
    due.mark("posts")
    due.mark("hubs")
    thread.join(20)
    assert found in ([{"hubs"}], [set()])  # another kind may have ended the wait
    assert due.take({"posts", "hubs"}, 0) == {"posts", "hubs"} - found[0]


def test_what_failed_is_due_after_a_pause_unless_it_is_due_later_already() -> None:
    due = Due()
    due.mark_retry(0, {"posts"})
    assert not due.is_due_later({"posts"})
    due.mark_retry(0.001, {"posts"})
    assert due.take({"posts"}, 20) == {"posts"}
    due.mark_later(3600, "posts")
    due.mark_retry(0.001, {"posts", "build"})
    assert due.take({"posts", "build"}, 0.05) == set()
