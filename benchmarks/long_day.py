"""A day of the daemon's two steps, driven by a clock of its own.

    python benchmarks/long_day.py [--hours 24] [--articles 5000] [--posts 0] [--folder SITE]
        [--no-archives]

In one process, as in the daemon: every five minutes posts arrive, which events name, a poll of
the upstream and a build follow, and every hour a scan of the folder, in which there are `--posts`
other posts from the beginning.  Some articles are corrected upstream, some files are broken and
fixed, and the upstream is down now and then.  At the end every article must stand in
its source's feed exactly once; memory, files and threads are watched by the hour.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import json
import os
import random
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from corpus import write_corpus

from aggregator import processes
from aggregator.cli import queries
from aggregator.config.load import load_settings
from aggregator.pipeline import building, polling

TICK = 300
CONFIG = """\
site:
  title: Benchmark
  url: https://news.example.org/
  tag: news.example.org,2021
feeds:
  url: https://news.example.org/feeds/
  entries: {entries}
  archives: {archives}
fetch:
  timeout: 5s
  allow_private_addresses: [127.0.0.0/8]
  per_host: {{concurrency: 16, delay: 0s}}
shares:
  - refresh: {{for: 2h, every: 30m}}
    robots: false
"""
POST = """\
---
layout: post
title: "Article {number}"
date: {date:%Y-%m-%d %H:%M:%S} +0000
categories: day{source}
---
> Excerpt of {number}.

<{url}/html_News/NewsShare.html?infoCode={code}>
"""


class Upstream(BaseHTTPRequestHandler):
    """Answers with the text of an article, if it is not down."""

    texts: ClassVar[dict[str, str]] = {}
    is_down: ClassVar[bool] = False
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer 200 with JSON, 304, or 503."""
        code = self.path.rpartition("=")[2]
        body = json.dumps({"text": Upstream.texts.get(code, "")}).encode()
        tag = f'"{hash(body) & 0xFFFFFFFF:x}"'
        status = 503 if Upstream.is_down else 200
        if status == 200 and self.headers.get("If-None-Match") == tag:
            status, body = 304, b""
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """A thread for each connection; clients that hang up are no event."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Nothing."""


def resident() -> float:
    """Megabytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def main() -> None:
    """Run the day, print a line an hour, and check what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--posts", type=int, default=0)
    parser.add_argument(
        "--folder", type=Path, help="a folder that is kept; its config.yaml is replaced"
    )
    parser.add_argument("--no-archives", action="store_true")
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    random_ = random.Random(1)
    processes.use_one_process()
    with tempfile.TemporaryDirectory() as folder:
        site = options.folder or Path(folder)
        config = site / "config.yaml"
        # Room for all articles of a source, so that they can be counted in the end.
        entries = 50 + options.articles // 30
        archives = "false" if options.no_archives else "true"
        (site / "posts").mkdir(parents=True, exist_ok=True)
        config.write_text(CONFIG.format(entries=entries, archives=archives))
        if options.posts:
            write_corpus(site / "posts", options.posts)
        settings = load_settings(config)
        (name,) = settings.origin_names[:1]
        building.build_feeds(
            settings, config, building.BuildOptions(allow_empty=True), lambda *_: None
        )
        longest = 0.0
        ticks = options.hours * 3600 // TICK
        start = time.time() - options.hours * 3600
        now = start
        codes: list[str] = []
        broken: list[Path] = []
        outages = set(random_.sample(range(ticks), min(20, ticks)))
        corrections, breakages = 200 / ticks, 50 / ticks
        baseline: tuple[float, int, int] | None = None
        for tick in range(ticks):
            now = start + tick * TICK
            arrived = [path.name for path in broken]
            for path in broken:
                path.write_text(path.read_text("utf-8").replace("broken: [", "fixed: ["), "utf-8")
                path.write_text(path.read_text("utf-8").replace("fixed: [", ""), "utf-8")
                os.utime(path, (now, now))
            broken = []
            while len(codes) < options.articles * (tick + 1) / ticks:
                moment = datetime.datetime.fromtimestamp(now - 30, datetime.UTC)
                code = f"NW{moment:%Y%m%d}{len(codes):010d}"
                Upstream.texts[code] = f"<p>Text of {len(codes)}.</p>"
                text = POST.format(
                    number=len(codes), date=moment, source=len(codes) % 60, code=code, url=url
                )
                path = site / "posts" / f"{moment:%Y-%m-%d}-{code}.md"
                if random_.random() < breakages * ticks / options.articles:
                    text = text.replace("layout: post", "broken: [", 1)
                    broken.append(path)
                path.write_text(text, "utf-8")
                os.utime(path, (now, now))
                codes.append(code)
                arrived.append(path.name)
            for _ in range(int(corrections) + (random_.random() < corrections % 1)):
                code = random_.choice(codes[-200:])
                Upstream.texts[code] += "<p>Corrected.</p>"
            Upstream.is_down = tick in outages
            polling.poll(
                settings,
                polling.PollOptions(frozenset(["shares"])),
                lambda *_: None,
                clock=lambda: now,  # noqa: B023
            )
            is_scan = (tick + 1) % (3600 // TICK) == 0
            named = None if is_scan else {name: arrived}
            began = time.monotonic()
            outcome = building.build_feeds(
                settings, config, building.BuildOptions(named=named), lambda *_: None,
                clock=lambda: now,  # noqa: B023
            )  # fmt: skip
            longest = longest if is_scan else max(longest, time.monotonic() - began)
            assert not outcome.failures, outcome.failures
            processes.give_back_memory()
            if (tick + 1) % (3600 // TICK) == 0:
                found = (
                    resident(), len(os.listdir("/proc/self/fd")), threading.active_count(),
                )  # fmt: skip
                hour = (tick + 1) * TICK // 3600
                print(f"hour {hour}: {len(codes)} articles, {found[0]:.0f} MB, {found[1]} files, "
                      f"{found[2]} threads, longest build {longest:.2f} s", flush=True)  # fmt: skip
                baseline = baseline or found
        Upstream.is_down = False
        now = start + ticks * TICK + 3600
        polling.poll(
            settings,
            polling.PollOptions(frozenset(["shares"]), everything=True),
            lambda *_: None,
            clock=lambda: now,
        )
        outcome = building.build_feeds(
            settings, config, building.BuildOptions(), lambda *_: None, clock=lambda: now
        )
        seen = collections.Counter(
            code
            for feed in (site / "feeds" / "sources").glob("day*.atom")
            for code in re.findall(
                r"<id>tag:news.example.org,2021:(NW\d{18})</id>", feed.read_text("utf-8")
            )
        )
        assert seen == collections.Counter(codes), len(seen)
        assert outcome.problems == 0, queries.problems(settings)[:5]
        print(f"every one of {len(codes)} articles in its feed exactly once")
    server.shutdown()
    sys.exit(0)


if __name__ == "__main__":
    main()
