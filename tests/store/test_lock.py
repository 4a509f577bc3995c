"""One writer at a time."""

import fcntl
from pathlib import Path

import pytest

from aggregator.model.errors import LockedError
from aggregator.store.lock import exclusive


def test_the_lock_is_one_and_names_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db.lock"
    path.write_text("process 1 (stale)")
    held = exclusive(path, 0, "the first")
    with held, pytest.raises(LockedError, match=r"process \d+ \(the first\)"):
        exclusive(path, 0, "the second").__enter__()
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
