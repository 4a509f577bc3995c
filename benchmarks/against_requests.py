"""Compare polling with bare requests, in one run and in turn; write README.md's table.

    python benchmarks/against_requests.py [--urls 10000] [--runs 5]

Both ask the same server (slow_server.py, in a process of its own) for the same URLs with
the same headers, 32 at a time and without a delay: `aggregator poll` with all that it does,
and a ThreadPoolExecutor(32) over requests.Session.get that throws the answers away.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from readme_table import write_table

HERE = Path(__file__).resolve().parent
COMMAND = [str(Path(sys.executable).parent / "aggregator"), "poll", "-q", "--only", "shares"]
CONFIG = """\
site:
  title: Benchmark
  url: https://news.example.org/
  tag: news.example.org,2021
shares:
  - urls: ['file:urls.txt']
    refresh: {{for: 48h, every: {every}}}
    robots: false
feeds:
  url: https://news.example.org/feeds/
fetch:
  concurrency: 32
  allow_private_addresses: [127.0.0.0/8]
  per_host: {{concurrency: 32, delay: 0s}}
"""
BARE = """\
import sys, threading
from concurrent.futures import ThreadPoolExecutor
import requests
local = threading.local()
headers = {"User-Agent": "aggregator/0 (+https://news.example.org/)"}
if sys.argv[2] == "stable":
    headers["If-None-Match"] = '"1"'
def get(url):
    if not hasattr(local, "session"):
        local.session = requests.Session()
    answer = local.session.get(url, headers=headers, timeout=30)
    assert answer.status_code == (304 if sys.argv[2] == "stable" else 200)
    return len(answer.content)
with ThreadPoolExecutor(32) as pool:
    for _ in pool.map(get, open(sys.argv[1]).read().split()):
        pass
"""


def measured(command: list[str], directory: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=directory)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return seconds, usage.ru_maxrss / 1000


@contextlib.contextmanager
def server(flavour: str) -> Iterator[str]:
    """The address of a running server."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "slow_server.py"), flavour], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def compare(root: Path, flavour: str, urls: int, runs: int) -> tuple[float, float, float, float]:
    """URLs a second of ours and theirs, the median ratio of the pairs, our peak memory."""
    site = root / flavour
    site.mkdir()
    (site / "config.yaml").write_text(CONFIG.format(every="30m"))
    ours, theirs, peaks = [], [], []
    with server(flavour) as address:
        day = datetime.date.today().strftime("%Y%m%d")
        codes = [f"NW{day}{number:010d}" for number in range(urls)]
        pages = [f"{address}/html_News/NewsShare.html?infoCode={code}" for code in codes]
        texts = [f"{address}/NewsData/GetNewsText.do?id={code}" for code in codes]
        (site / "urls.txt").write_text("\n".join(pages))
        (site / "texts.txt").write_text("\n".join(texts))
        bare = [sys.executable, "-c", BARE, "texts.txt", flavour]
        measured(COMMAND, site)
        for _ in range(runs):
            theirs.append(measured(bare, site)[0])
            seconds, peak = measured([*COMMAND, "--all"], site)
            ours.append(seconds)
            peaks.append(peak)
        with contextlib.closing(sqlite3.connect(site / "var" / "aggregator.db")) as store:
            found = store.execute("select count(*), max(revision) from article").fetchone()
        assert found == (urls, 1 if flavour == "stable" else runs + 1), found
    ratio = statistics.median(other / mine for mine, other in zip(ours, theirs, strict=True))
    return urls / statistics.median(ours), urls / statistics.median(theirs), ratio, max(peaks)


def asked_in_the_window(root: Path, articles: int, recent: int) -> tuple[int, int]:
    """Requests for stored articles of which some are recent: in a poll, and in the next."""
    site = root / "window"
    (site / "posts").mkdir(parents=True)
    (site / "config.yaml").write_text(CONFIG.format(every="30m").replace("'file:urls.txt'", ""))
    with server("stable") as address:
        now = datetime.datetime.now(datetime.UTC)
        for number in range(articles):
            hours = 1 if number < recent else 60 + number
            moment = now - datetime.timedelta(hours=hours)
            code = f"NW{moment:%Y%m%d}{number:010d}"
            (site / "posts" / f"{moment:%Y-%m-%d}-{code}.md").write_text(
                f"---\ntitle: T{number}\ndate: {moment:%Y-%m-%d %H:%M:%S} +0000\n"
                f"categories: s{number % 60}\n---\n<p>{number}</p>\n\n"
                f"<{address}/html_News/NewsShare.html?infoCode={code}>\n"
            )
        counts = []
        for kinds in (["posts"], ["shares"], ["shares"]):
            command = [COMMAND[0], "poll", "--json", "--only", *kinds]
            done = subprocess.run(command, cwd=site, check=True, capture_output=True)
            found = json.loads(done.stdout)["origins"]
            counts += [origin["requested"] for origin in found]
    return counts[0], counts[1]


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    lines = [
        f"{options.urls:,} URLs, 32 at a time; medians of {options.runs}.",
        "",
        "| | aggregator | bare requests | ratio | goal | peak memory (goal 200 MB) |",
        "|---|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, flavour, goal in (
            ("all 304", "stable", "1.0"),
            ("all changed, 30 kB of gzip each", "changing", "0.6"),
        ):
            ours, theirs, ratio, peak = compare(Path(folder), flavour, options.urls, options.runs)
            lines.append(
                f"| {name} | {ours:,.0f} URLs/s | {theirs:,.0f} URLs/s | {ratio:.2f} | {goal} "
                f"| {peak:.0f} MB |"
            )
            print(lines[-1], flush=True)
        first, second = asked_in_the_window(Path(folder), options.urls, 200)
        lines += [
            "",
            f"{options.urls:,} stored articles, 200 of them in the refresh window: {first} "
            f"requests in a poll, {second} in the next one within `every`.",
        ]
        print(lines[-1], flush=True)
    write_table("polling", lines)


if __name__ == "__main__":
    main()
