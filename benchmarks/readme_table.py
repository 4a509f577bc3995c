"""The tables of README.md, which the benchmarks rewrite with what they measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

README = Path(__file__).resolve().parent / "README.md"


def write_table(name: str, lines: Sequence[str]) -> None:
    """Put lines between `<!-- NAME -->` and `<!-- end of NAME -->` in README.md.

    Raises `ValueError` if README.md has no place for them.
    """
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, starts, rest = README.read_text("utf-8").partition(start)
    _, ends, after = rest.partition(end)
    if not starts or not ends:
        raise ValueError(f"{README}: has no lines {start.strip()} and {end.strip()}")
    README.write_text(before + start + "\n".join(lines) + "\n" + end + after, "utf-8")
