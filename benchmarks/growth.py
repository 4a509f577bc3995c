"""How cost grows with the number of posts; writes the table of README.md.

    python benchmarks/growth.py [--posts 10000 100000 1000000] [--runs 3]

The same site with ten and a hundred times the posts: seconds of whole processes, and the memory of
all processes of a first build together.  A million posts take 15 GB of disk, and half an hour.
"""

from __future__ import annotations

import argparse
import compileall
import shutil
import statistics
import tempfile
from pathlib import Path

from against_hugo import COMMAND, Bench
from readme_table import write_table

import aggregator

# A first build of so many is measured once.
MANY = 200_000


def measure(root: Path, posts: int, runs: int) -> list[float]:
    """Seconds of a first build, of one with nothing to do and of one post more, and megabytes."""
    bench = Bench(root, posts)
    firsts, peaks = [], []
    for _ in range(1 if posts > MANY else runs):
        bench.clear()
        if posts <= MANY:
            firsts.append(bench.time(COMMAND))
            bench.clear()
        seconds, megabytes = bench.time_and_peak(COMMAND)
        firsts += [seconds] if posts > MANY else []
        peaks.append(megabytes)
    bench.time(COMMAND)
    nothing = [bench.time(COMMAND) for _ in range(runs)]
    added = []
    for _ in range(runs):
        bench.add()
        added.append(bench.time(COMMAND))
    shutil.rmtree(bench.site)
    return [statistics.median(found) for found in (firsts, nothing, added, peaks)]


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    compileall.compile_dir(Path(aggregator.__file__).parent, quiet=1)
    columns = []
    with tempfile.TemporaryDirectory() as folder:
        for posts in arguments.posts:
            columns.append(measure(Path(folder), posts, arguments.runs))
            print(posts, *columns[-1], flush=True)
    names = ("first build, 61 Atom feeds", "nothing changed", "one post added", "peak memory")
    units = ("s", "s", "s", "MB")
    goals = ("105 × from 10,000 to 1,000,000", "", "", "1.5 × from 10,000 to 1,000,000")
    rows = []
    for name, unit, goal, *cells in zip(names, units, goals, *columns, strict=True):
        shown = [f"{cell:.0f} MB" if unit == "MB" else f"{cell:.2f} s" for cell in cells]
        rows.append(f"| {' | '.join([name, *shown, f'{cells[-1] / cells[0]:.1f} ×', goal])} |")
    heads = [f"{posts:,} posts" for posts in arguments.posts]
    lines = [
        f"| | {' | '.join(heads)} | the last by the first | goal |",
        f"|{'---|' * (len(heads) + 3)}",
        *rows,
    ]
    print("\n".join(lines))
    write_table("growth", lines)


if __name__ == "__main__":
    main()
