"""How fast and how idle the daemon is; writes README.md's table.

    python benchmarks/landing.py [--posts 10000 1000000] [--landings 50] [--idle 600] [--folder F]

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
title: "Landed {number} of {run}"
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
    run = f"{now:%Y%m%d%H%M%S%f}"
    post = POST.format(number=number, date=now, source=number % 5, run=run)
    waiting.write_text(post, "utf-8")
    feed = site / "feeds" / "sources" / f"landing{number % 5}.atom"
    words = f"<title>Landed {number} of {run}</title>"
    started = time.perf_counter()
    waiting.rename(site / "posts" / f"{now:%Y-%m-%d}-landed-{run}.md")
    while time.perf_counter() - started < 30:
        if feed.exists() and words in feed.read_text("utf-8"):
            return time.perf_counter() - started
        time.sleep(0.005)
    raise SystemExit(f"post {number} was not published within 30 s")


def measure(site: Path, landings: int, idle: int) -> list[str]:
    """Run the daemon on a site; return the cells of its column."""
    with (site / "log").open("wb") as log:
        process = subprocess.Popen(COMMAND, cwd=site, stderr=log)
    try:
        while b"ready: " not in (site / "log").read_bytes():
            if process.poll() is not None:
                raise SystemExit((site / "log").read_text("utf-8"))
            time.sleep(0.05)
        time.sleep(5)
        random_ = random.Random(1)
        times = sorted(land(site, number, random_) for number in range(landings))
        time.sleep(5)
        before = seconds_of_cpu(process.pid)
        time.sleep(idle)
        share = (seconds_of_cpu(process.pid) - before) / idle
        memory = megabytes(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    return [
        f"{statistics.median(times):.2f} s",
        f"{times[-1]:.2f} s",
        f"{100 * share:.2f} %",
        f"{memory:.0f} MB",
    ]


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--landings", type=int, default=50)
    parser.add_argument("--idle", type=int, default=600, help="seconds")
    parser.add_argument(
        "--folder", type=Path, help="for the sites, which are kept; built ones are used"
    )
    options = parser.parse_args()
    columns = []
    with tempfile.TemporaryDirectory() as temporary:
        for posts in options.posts:
            site = (options.folder or Path(temporary)) / f"site{posts}"
            if not site.exists():
                write_corpus(site / "posts", posts)
            if not (site / "config.yaml").exists():
                (site / "config.yaml").write_text(CONFIG)
            columns.append(measure(site, options.landings, options.idle))
            print(posts, *columns[-1], flush=True)
    names = (
        "post renamed into the folder → its entry on disk, median",
        f"the same, worst of {options.landings}",
        "idle daemon, of one core",
        "its memory",
    )
    goals = ("0.2 s, with a million 0.5 s", "1 s", "1.5 %", "150 MB")
    rows = [
        f"| {' | '.join([name, *cells, goal])} |"
        for name, cells, goal in zip(names, zip(*columns, strict=True), goals, strict=True)
    ]
    lines = [
        f"{options.landings} landings, then {options.idle} s without work.",
        "",
        f"| | {' | '.join(f'{posts:,} posts' for posts in options.posts)} | goal |",
        f"|---|{'---|' * (len(columns) + 1)}",
        *rows,
    ]
    print("\n".join(lines))
    write_table("landing", lines)


if __name__ == "__main__":
    main()
