"""Compare `aggregator serve` with nginx on the same files, and write the table of README.md.

    python benchmarks/against_nginx.py [--posts 2000] [--seconds 6]

Needs nginx and wrk (Debian: apt-get install nginx-light wrk).  Both give the combined feed
on loopback, packed by gzip beforehand, to 64 connections of `wrk -t2`; in turn.
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import requests
from against_hugo import COMMAND, CONFIG
from corpus import write_corpus
from readme_table import write_table

NGINX = """\
daemon off; worker_processes auto; pid {root}/pid; error_log {root}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    types {{ application/atom+xml atom; }}
    server {{
        listen 127.0.0.1:{port};
        root {feeds};
        gzip_static on;
        add_header Cache-Control "public, max-age=60";
    }}
}}
"""
RUNS = 3


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def rate(url: str, seconds: int, etag: str | None) -> float:
    """Answers a second."""
    headers = ["-H", "Accept-Encoding: gzip"]
    if etag is not None:
        headers += ["-H", f"If-None-Match: {etag}"]
    done = subprocess.run(
        ["wrk", "-t2", "-c64", f"-d{seconds}s", *headers, url],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Socket errors" not in done.stdout, done.stdout
    assert (etag is not None) or "Non-2xx" not in done.stdout, done.stdout
    match = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert match, done.stdout
    return float(match[1])


def wait_for(url: str) -> requests.Response:
    """The first answer, packed."""
    while True:
        try:
            return requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=10)
        except requests.ConnectionError:
            time.sleep(0.05)


def measure(root: Path, posts: int, seconds: int) -> list[str]:
    """The rows of the table."""
    write_corpus(root / "posts", posts)
    (root / "config.yaml").write_text(CONFIG + "  compress: [gzip]\n")
    subprocess.run(COMMAND, cwd=root, check=True)
    ports = free_port(), free_port()
    config = root / "nginx.conf"
    user = "user root;" if Path("/root").owner() == "root" else ""
    config.write_text(NGINX.format(root=root, port=ports[0], feeds=root / "feeds", user=user))
    rows = []
    with (
        subprocess.Popen(["nginx", "-c", str(config), "-e", f"{root}/error.log"]) as nginx,
        subprocess.Popen(
            [COMMAND[0], "serve", "-q", "--listen", f"127.0.0.1:{ports[1]}"], cwd=root
        ) as ours,
    ):
        try:
            urls = [f"http://127.0.0.1:{port}/all.atom" for port in ports]
            answers = [wait_for(url) for url in urls]
            assert answers[0].content == answers[1].content
            for name, is_conditional, bar in (("304", True, "0.25"), ("200, gzip", False, "0.15")):
                rates: tuple[list[float], list[float]] = ([], [])
                for _ in range(RUNS):
                    for index, url in enumerate(urls):
                        etag = answers[index].headers["ETag"] if is_conditional else None
                        rates[index].append(rate(url, seconds, etag))
                theirs, mine = (statistics.median(values) for values in rates)
                ratio = statistics.median(mine / other for other, mine in zip(*rates, strict=True))
                rows.append(f"| {name} | {mine:,.0f}/s | {theirs:,.0f}/s | {ratio:.2f} | {bar} |")
                print(rows[-1], flush=True)
        finally:
            nginx.terminate()
            ours.terminate()
    return rows


def main() -> None:
    """Measure, and put the table into README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=6)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), arguments.posts, arguments.seconds)
    table = [
        f"The combined feed of 100 entries; medians of {RUNS} runs of {arguments.seconds} s.",
        "",
        "| | aggregator serve | nginx | ratio | goal |",
        "|---|---|---|---|---|",
        *rows,
    ]
    write_table("serving", table)


if __name__ == "__main__":
    main()
