"""What all that is published costs beside Atom feeds alone; writes the table of README.md.

    python benchmarks/publishing.py [--posts 10000] [--runs 5]

Two sites of the same posts: one with Atom feeds alone, one with all three formats, the
page, the list of feeds and archives.  Both are built in turn, and the ratios taken pair
by pair.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from against_hugo import COMMAND, CONFIG, EVERYTHING, FEEDS_ALONE, Bench
from readme_table import write_table


def compare(few: Bench, all_: Bench, runs: int, change: Callable[[Bench], None]) -> list[float]:
    """Median seconds of both, and the median ratio of the pairs."""
    pairs = []
    for _ in range(runs):
        times = []
        for bench in (few, all_):
            change(bench)
            times.append(bench.time(COMMAND))
        pairs.append(times)
    return [
        statistics.median(first for first, _ in pairs),
        statistics.median(second for _, second in pairs),
        statistics.median(second / first for first, second in pairs),
    ]


def measure(root: Path, posts: int, runs: int) -> list[str]:
    """The rows of the table."""
    few, all_ = Bench(root / "few", posts), Bench(root / "all", posts)
    (few.site / "config.yaml").write_text(CONFIG + FEEDS_ALONE)
    (all_.site / "config.yaml").write_text(CONFIG + EVERYTHING)
    rows = []
    for name, change, bar in (
        ("first build", Bench.clear, "1.5"),
        ("one post added", Bench.add, "1.3"),
        ("one post changed", Bench.edit, ""),
    ):
        atom, everything, ratio = compare(few, all_, runs, change)
        rows.append(f"| {name} | {atom:.3f} s | {everything:.3f} s | {ratio:.2f} | {bar} |")
        print(rows[-1], flush=True)
    feeds = all_.site / "feeds"
    files = [path for path in feeds.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{len(files)} files, {size:.0f} MB")
    shutil.rmtree(root / "few")
    return rows


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), arguments.posts, arguments.runs)
    table = [
        f"{arguments.posts:,} articles, 60 sources; medians of {arguments.runs}.",
        "",
        "| | Atom alone | everything | ratio | goal |",
        "|---|---|---|---|---|",
        *rows,
    ]
    write_table("publishing", table)


if __name__ == "__main__":
    main()
