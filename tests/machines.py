"""Machines that share a store: processes of `aggregator run`, each in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from conftest import COMMAND, Site
from waiting import wait_for

CONFIG = """\
site:
  title: 财经新闻
  url: https://finews.example.org/
  tag: finews.example.org,2021
store: {store}
posts:
  - path: posts
    layout: plain
feeds:
  directory: {directory}
  url: https://finews.example.org/feeds/
schedule: {{posts: 1s, shares: 1s, lists: 1s, subscriptions: 1s}}
fetch:
  timeout: 5s
  allow_private_addresses: [127.0.0.0/8]
  per_host: {{concurrency: 1, delay: 0s}}
"""


class Machine:
    """A running machine, its folder and its log."""

    def __init__(self, root: Path, store: str, more: str = "", directory: str = "feeds") -> None:
        self.site = Site(root)
        text = CONFIG.format(store=store, directory=directory) + more
        self.site.config.write_text(text, "utf-8")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.site.root / "log").read_text("utf-8")

    def start(self, roles: str = "posts,upstream,build", *arguments: str) -> Machine:
        with (self.site.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(COMMAND), "run", "--roles", roles, *arguments],
                cwd=self.site.root,
                stderr=log,
                env=os.environ,
                start_new_session=True,
            )
        return self

    def ready(self) -> Machine:
        wait_for(lambda: "ready: " in self.log or self.has_ended, 30)
        assert not self.has_ended, self.log
        return self

    @property
    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def end(self) -> int:
        """Wait for its end; return its status."""
        assert self.process is not None
        return self.process.wait(20)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.end()
        assert "Traceback" not in self.log, self.log
        return code

    def kill(self) -> None:
        if self.process is not None and not self.has_ended:
            self.signal(signal.SIGKILL)
            self.process.wait()


Start = Callable[..., Machine]
