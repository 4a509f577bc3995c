"""How fast and how idle the daemon is; writes README.md's table.

    python benchmarks/daemon.py [--posts 10000] [--landings 60] [--idle 300]

A folder of posts, `aggregator run` on it; posts are renamed into the folder one after
another, each once the one before it stands in its source's feed on disk.  Then nothing
happens for some minutes on a schedule of 30 s.
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from corpus import write_corpus
from readme_table import write_table

COMMAND = [str(Path(sys.executable).parent / "aggregator"), "run"]
CONFIG = """\
site:
  title: Benchmark
  url: https://news.example.org/
  tag: news.example.org,2021
feeds:
  url: https://news.example.org/feeds/
schedule: {posts: 30s}
"""
POST = """\
---
layout: post
title: "Landed {number}"
date: {date:%Y-%m-%d %H:%M:%S} +0000
categories: landing{source}
---
<p>Landed as number {number}.</p>
"""


def seconds_of_cpu(pid: int) -> float:
    """What a process has used so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> float:
    """A process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def land(site: Path, number: int, random_: random.Random) -> float:
    """Rename a post into the folder; seconds until its entry is in its feed on disk."""
    time.sleep(random_.uniform(0.1, 0.6))
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1)
    waiting = site / "waiting.tmp"
    waiting.write_text(POST.format(number=number, date=now, source=number % 5), "utf-8")
    feed = site / "feeds" / "sources" / f"landing{number % 5}.atom"
    words = f"<title>Landed {number}</title>"
    started = time.perf_counter()
    waiting.rename(site / "posts" / f"{now:%Y-%m-%d}-landed-{number}.md")
    while time.perf_counter() - started < 30:
        if feed.exists() and words in feed.read_text("utf-8"):
            return time.perf_counter() - started
        time.sleep(0.005)
    raise SystemExit(f"post {number} was not published within 30 s")


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--landings", type=int, default=60)
    parser.add_argument("--idle", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        write_corpus(site / "posts", options.posts)
        (site / "config.yaml").write_text(CONFIG)
        with (site / "log").open("wb") as log:
            process = subprocess.Popen(COMMAND, cwd=site, stderr=log)
        try:
            while b"ready: " not in (site / "log").read_bytes():
                time.sleep(0.05)
            random_ = random.Random(1)
            times = sorted(land(site, number, random_) for number in range(options.landings))
            median = statistics.median(times)
            p95 = times[int(0.95 * len(times))]
            time.sleep(5)
            before = seconds_of_cpu(process.pid)
            time.sleep(options.idle)
            share = (seconds_of_cpu(process.pid) - before) / options.idle
            memory = megabytes(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
    lines = [
        f"{options.posts:,} posts, {options.landings} landings, {options.idle} s without work.",
        "",
        "| | measured | goal |",
        "|---|---|---|",
        f"| post renamed into the folder → its entry on disk, median | {median:.2f} s | |",
        f"| the same, 95th percentile | {p95:.2f} s | 1.0 s |",
        f"| idle daemon, of one core | {100 * share:.2f} % | 1 % |",
        f"| its memory | {memory:.0f} MB | 120 MB |",
    ]
    print("\n".join(lines))
    write_table("daemon", lines)


if __name__ == "__main__":
    main()
