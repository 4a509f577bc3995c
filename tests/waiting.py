"""Waiting for what other threads and processes do."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path


def wait_for(condition: Callable[[], object], seconds: float = 20, what: object = "") -> None:
    """Wait until a condition holds; else `what`, or what it returns, says what there is."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what() if callable(what) else what
        threading.Event().wait(0.01)


def has_open(process: int, path: Path) -> bool:
    """Whether a process has a file open at this moment."""
    for descriptor in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(descriptor) == str(path.resolve()):
                return True
    return False
