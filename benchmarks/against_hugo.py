"""Compare builds with Hugo's, in one run and in turn, and write the table of README.md.

    python benchmarks/against_hugo.py [--posts 10000] [--growth 100000] [--runs 5]

Needs Hugo 0.111 (Debian: apt-get install hugo) and the project installed for the Python
that runs this.  Hugo renders feeds only, no pages: the full content of 100 posts in the
home feed and of 50 in the feed of each category.  Times are wall-clock seconds of whole
processes, their ratios taken pair by pair; memory is the proportional set size of all
processes of a command together, sampled in runs of their own.
"""

from __future__ import annotations

import argparse
import compileall
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
HUGO_CONFIG = """\
baseURL = "https://news.example.org/"
title = "Benchmark"
languageCode = "zh-CN"
disableKinds = ["section", "sitemap", "robotsTXT", "404", "taxonomy"]
ignoreErrors = ["error-disable-taxonomy"]
[taxonomies]
category = "categories"
[outputs]
home = ["RSS"]
term = ["RSS"]
[markup.goldmark.renderer]
unsafe = true
[[cascade]]
[cascade._build]
render = "never"
list = "always"
[cascade._target]
kind = "page"
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
            "hugo",
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
        process = subprocess.Popen(command, cwd=self.site, stdout=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(map(_proportional_set_size, _family(process.pid))))
            time.sleep(0.01)
        return peak / 1000


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


def measure(root: Path, posts: int, growth: int, runs: int) -> list[str]:
    """The lines of the table."""
    bench = Bench(root, posts)
    rows: list[str] = []

    def row(name: str, prepare: Callable[[], None], bar: str) -> float:
        ours, theirs, ratio = compare(bench, runs, prepare)
        rows.append(f"| {name} | {ours:.3f} s | {theirs:.3f} s | {ratio:.2f} | {bar} |")
        print(rows[-1], flush=True)
        return ours

    bench.time(bench.hugo())  # warms the page cache for both
    first = row("first build, empty store", bench.clear, "0.70")
    bench.time(COMMAND)
    nothing = row("nothing changed", lambda: None, "0.13")
    row("one post changed", bench.edit, "0.18")
    row("one post added", bench.add, "0.18")

    def peak_of_first(of: Bench) -> float:
        def once() -> float:
            of.clear()
            return of.peak(COMMAND)

        return statistics.median(once() for _ in range(3))

    memory = peak_of_first(bench)
    hugo_memory = bench.peak(bench.hugo())
    rows.append(
        f"| peak memory, first build | {memory:.0f} MB | {hugo_memory:.0f} MB "
        f"| {memory / hugo_memory:.2f} | 150 MB |"
    )
    if growth:
        large = Bench(root, growth)
        factor = growth // posts
        times = []
        for _ in range(3):
            large.clear()
            times.append(large.time(COMMAND))
        large_first = statistics.median(times)
        large.time(COMMAND)
        large_nothing = statistics.median(large.time(COMMAND) for _ in range(runs))
        large_memory = peak_of_first(large)
        rows += [
            f"| first build, {factor} × the posts | {large_first:.2f} s | | "
            f"{large_first / first:.1f} × ours above | 11 × |",
            f"| nothing changed, {factor} × the posts | {large_nothing:.3f} s | | "
            f"{large_nothing / nothing:.1f} × ours above | 9 × |",
            f"| peak memory, {factor} × the posts | {large_memory:.0f} MB | | "
            f"{large_memory / memory:.2f} × ours above | 1.3 × |",
        ]
    return rows


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--growth", type=int, default=100_000, help="0 leaves it out")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    # As an installation does; an editable one may not have written its bytecode yet.
    compileall.compile_dir(Path(aggregator.__file__).parent, quiet=1)
    hugo = subprocess.run(["hugo", "version"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), arguments.posts, arguments.growth, arguments.runs)
    table = [
        f"{arguments.posts:,} articles, 60 sources; {os.cpu_count()} processors, "
        f"Python {platform.python_version()}, {' '.join(hugo.split()[:2])}; "
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
