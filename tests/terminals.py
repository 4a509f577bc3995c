"""A command on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess

from conftest import COMMAND, Site


def on_a_terminal(site: Site, *arguments: str, **environment: str) -> bytes:
    """What a command shows there, with all control codes."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [str(COMMAND), *arguments],
        cwd=site.root,
        stdout=slave,
        stderr=slave,
        env={**os.environ, **environment},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(30) == 0, shown
    return shown
