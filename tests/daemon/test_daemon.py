"""`aggregator run`: on a schedule, on changes, through signals and failures."""

import contextlib
import ctypes
import datetime
import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import COMMAND, Site, article, need_namespace
from upstream import Upstream, send
from waiting import wait_for

from aggregator.daemon.health import LONGEST_PAUSE

SCHEDULE = """\
schedule: {posts: 1s, shares: 1s, lists: 1s, subscriptions: 1s}
fetch:
  timeout: 2s
  allow_private_addresses: [127.0.0.2/32]
  per_host: {concurrency: 8, delay: 0s}
"""
UNITS = Path(__file__).parents[2] / "systemd"
RARELY = SCHEDULE.replace("posts: 1s", "posts: 1h")


class SystemD:
    """The socket that systemd listens on."""

    def __init__(self, address: str) -> None:
        self.messages: list[str] = []
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(address.replace("@", "\0", 1))
        self.channel.settimeout(0.1)
        self.is_open = True
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self) -> None:
        while self.is_open:
            with contextlib.suppress(TimeoutError):
                self.messages += self.channel.recv(65536).decode().split("\n")

    def count(self, message: str) -> int:
        return self.messages.count(message)

    def close(self) -> None:
        self.is_open = False
        self.thread.join()
        self.channel.close()


class Running:
    """A running daemon and its log."""

    def __init__(self, site: Site, *arguments: str, **environment: str) -> None:
        self.site = site
        self.path = site.root / "log"
        with self.path.open("ab") as log:
            self.process = subprocess.Popen(
                [str(COMMAND), "run", *arguments],
                cwd=site.root,
                stderr=log,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        return self.path.read_text("utf-8")

    def ready(self) -> "Running":
        wait_for(lambda: "ready: " in self.log, what=lambda: self.log)
        return self

    def stop(self, number: int = signal.SIGTERM, within: float = 5.0) -> int:
        started = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(20)
        assert time.monotonic() - started < within
        assert "Traceback" not in self.log, self.log
        return code


@pytest.fixture
def daemon(site: Site, inotify: None) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*arguments: str, config: str = SCHEDULE, **environment: str) -> Running:
        if "schedule:" not in site.config.read_text("utf-8"):
            site.configure(lambda text: text + config)
        started.append(Running(site, *arguments, **environment))
        return started[-1]

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def land(site: Site, name: str, text: str) -> Path:
    """Write a post elsewhere and rename it into the folder."""
    waiting = site.root / "waiting.tmp"
    waiting.write_text(text, encoding="utf-8")
    path = site.posts / name
    waiting.rename(path)
    return path


def titles(site: Site) -> list[str]:
    if not (site.feeds / "all.atom").exists():
        return []
    return [entry.title for entry in site.entries()]


def test_a_post_that_lands_is_published_at_once(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    running = daemon(config=RARELY).ready()
    assert titles(site) == ["eins"]
    land(site, "2.md", article("zwei", date="2022-01-28"))
    wait_for(lambda: "zwei" in titles(site))
    (site.posts / "2.md").unlink()
    land(site, "1.md", article("eins, berichtigt"))
    wait_for(lambda: "eins, berichtigt" in titles(site))
    assert running.stop() == 0
    assert "posts: 1 read, 1 new, 2 feeds written" in running.log


def test_one_bad_file_never_stops_the_others(site: Site, daemon) -> None:
    """Names that look alike, and a time that 64 bits do not hold."""
    site.post("1.md", article("eins"))
    running = daemon(config=RARELY).ready()
    Path(os.fsdecode(os.fsencode(site.posts) + b"/latin-\xe9.md")).write_text(article("Byte"))
    land(site, "latin-\\xe9.md", article("Text"))
    far = site.root / "far.tmp"
    far.write_text(article("fern"))
    os.utime(far, ns=(10**19, 10**19))
    far.rename(site.posts / "far.md")
    wait_for(lambda: {"Byte", "Text", "fern"} <= set(titles(site)), what=lambda: running.log)
    land(site, "2.md", article("zwei"))
    wait_for(lambda: "zwei" in titles(site))
    running.stop()
    assert " error: " not in running.log


def test_polls_that_find_nothing_changed_report_no_error(site: Site, daemon) -> None:
    """Files and the folder are old enough for what was noted at the last run to vouch for them."""
    port = free_port()
    site.post("1.md", article("eins"))
    for path in (site.posts / "1.md", site.posts):
        os.utime(path, (0, 0))
    running = daemon("--listen", f"127.0.0.1:{port}").ready()
    runs = re.compile(r'^aggregator_runs_total\{stage="posts"\} (\S+)', re.MULTILINE)

    def polls() -> float:
        match = runs.search(get(f"http://127.0.0.1:{port}/metrics")[1])
        return float(match[1]) if match else 0.0

    wait_for(lambda: polls() >= 3)
    running.stop()
    assert " error: " not in running.log, running.log


def test_a_burst_becomes_few_polls(site: Site, daemon) -> None:
    running = daemon(config=RARELY).ready()
    for number in range(300):
        land(site, f"{number}.md", article(f"T{number}", date="2022-01-28"))
    wait_for(lambda: "300 articles" in site.run("status").out)
    assert running.log.count("posts: ") <= 20
    running.stop()


def test_a_file_that_is_being_written_is_waited_for(site: Site, daemon) -> None:
    daemon(config=RARELY).ready()
    path = site.posts / "1.md"
    text = article("eins", "<p>vorn</p>\n<p>hinten</p>")
    half = text.index("<p>hinten")
    with path.open("w", encoding="utf-8") as file:
        file.write(text[:half])
        file.flush()
        land(site, "2.md", article("zwei"))
        wait_for(lambda: "zwei" in titles(site))
        assert titles(site) == ["zwei"]
        file.write(text[half:])
    wait_for(lambda: "eins" in titles(site))
    (entry,) = [entry for entry in site.entries() if entry.title == "eins"]
    assert "hinten" in entry.content[0].value
    assert entry.updated == entry.published


def test_where_there_are_no_events_the_schedule_does_the_work(site: Site, daemon) -> None:
    running = daemon()
    running.ready()
    site.posts.rename(site.root / "away")
    wait_for(lambda: "no such folder" in running.log)
    (site.root / "away").rename(site.posts)
    land(site, "1.md", article("eins"))
    wait_for(lambda: titles(site) == ["eins"])
    wait_for(lambda: "resolved: " in running.log)
    assert running.log.count("no such folder (is the disk mounted?)") == 2  # its start and its end


def test_a_folder_that_is_mounted_later_is_picked_up(site: Site, daemon) -> None:
    site.posts.rmdir()
    running = daemon()
    wait_for(lambda: "no such folder" in running.log)
    running.ready()
    site.posts.mkdir()
    land(site, "1.md", article("eins"))
    wait_for(lambda: titles(site) == ["eins"])


def test_an_article_held_back_appears_when_it_is_due(site: Site, daemon) -> None:
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=4)
    site.post("1.md", article("jetzt"))
    site.post("2.md", article("gleich", date=f"{due:%Y-%m-%d %H:%M:%S} +0000"))
    daemon(config=RARELY).ready()
    assert titles(site) == ["jetzt"]
    wait_for(lambda: "gleich" in titles(site))
    assert datetime.datetime.now(datetime.UTC) >= due - datetime.timedelta(seconds=1)


def test_the_upstream_is_polled_and_published(site: Site, daemon, upstream: Upstream) -> None:
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    code = f"NW{moment:%Y%m%d}0000000001"
    upstream.texts[code] = "<p>全文</p>"
    date = f"{moment:%Y-%m-%d %H:%M:%S} +0000"
    site.post("1.md", article("标题", "> 短", date=date, share=upstream.share_url(code)))
    site.configure(lambda text: text + "shares:\n  - refresh: {for: 48h, every: 1s}\n")
    running = daemon(config=RARELY).ready()

    def text() -> str:
        return site.entries()[0].content[0].value.strip()

    wait_for(lambda: text() == "<p>全文</p>")
    upstream.texts[code] = "<p>改正</p>"
    wait_for(lambda: text() == "<p>改正</p>")
    running.stop()
    assert "shares: 1 request, 0 new, 1 revised" in running.log


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.exhaustive)]
)
def test_it_stops_at_once_whatever_it_waits_for(
    site: Site, daemon, upstream: Upstream, number: int
) -> None:
    release = threading.Event()
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    code = f"NW{moment:%Y%m%d}0000000001"
    date = f"{moment:%Y-%m-%d %H:%M:%S} +0000"
    site.post("1.md", article("标题", "> 短", date=date, share=upstream.share_url(code)))
    reached = threading.Event()

    def silence(handler: Any) -> None:
        reached.set()
        release.wait(20)

    upstream.answers[upstream.text_path(code)] = silence
    running = daemon(config=SCHEDULE.replace("timeout: 2s", "timeout: 60s")).ready()
    assert reached.wait(20)
    assert running.stop(number) == 0
    release.set()
    assert running.log.rstrip().endswith("stopped")
    assert not list(site.root.rglob("*.tmp*"))


def test_a_second_daemon_is_refused_and_one_off_runs_are_not(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    address = f"127.0.0.1:{free_port()}"
    running = daemon("--listen", address, config=RARELY).ready()
    for arguments in ([], ["--listen", address]):
        second = site.run("run", *arguments)
        assert second.code == 75
        taken = f"another `aggregator run` (process {running.process.pid}) already serves"
        assert taken in second.err
    site.post("2.md", article("zwei"))
    site.build()
    assert site.run("poll", "--only", "posts").code == 0
    assert set(titles(site)) == {"eins", "zwei"}
    shown = site.run("status", "--json").json["daemon"]
    assert shown["pid"] == running.process.pid
    assert f"daemon: process {running.process.pid}" in site.run("status").out
    running.stop()
    assert site.run("status", "--json").json["daemon"] is None


def test_a_reload_is_asked_for_while_the_daemon_starts(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    running = daemon(config=RARELY)
    status = Path(f"/proc/{running.process.pid}/status")
    blocked = 1 << (signal.SIGHUP - 1)
    wait_for(
        lambda: (
            int(re.findall(r"SigBlk:\s*(\w+)", status.read_text())[0], 16) & blocked
            or "started with " in running.log
        )
    )
    running.process.send_signal(signal.SIGHUP)
    running.ready()
    wait_for(lambda: "reloaded " in running.log, what=lambda: running.log)
    running.stop()


@pytest.mark.sqlite
def test_a_reload_takes_the_new_configuration_and_refuses_a_broken_one(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    running = daemon(config=RARELY).ready()
    site.configure(lambda text: text + "sources:\n  huaxiashibao: {name: 新名}\n")
    running.process.send_signal(signal.SIGHUP)
    wait_for(lambda: site.entries()[0].author == "新名")
    good = site.config.read_text("utf-8")
    site.config.write_text(good.replace("title: 财经新闻", "titel: 财经新闻"), "utf-8")
    running.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "not reloaded" in running.log)
    assert "config.yaml:2: site.titel: unknown key, did you mean title?" in running.log
    land(site, "2.md", article("zwei"))
    wait_for(lambda: "zwei" in titles(site))
    assert all(entry.author == "新名" for entry in site.entries())
    assert site.run("build-feeds").code == 2
    site.config.write_text(good, "utf-8")
    found = site.run("status", "--json").json["daemon"]
    assert "did you mean title?" in found["config_error"]
    shown = site.run("status").out
    assert "site.title: is required; config.yaml:" in shown
    assert "did you mean title?" in shown
    running.process.send_signal(signal.SIGHUP)
    wait_for(lambda: site.run("status", "--json").json["daemon"]["config_error"] is None)


def service_arguments(site: Site) -> list[str]:
    """What the service gives `aggregator run`, with the configuration of a site."""
    unit = (UNITS / "aggregator.service").read_text("utf-8")
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    program, command, *arguments = line.split()
    assert (Path(program).name, command) == ("aggregator", "run")
    return [
        str(site.config) if argument == "/etc/aggregator/config.yaml" else argument
        for argument in arguments
    ]


@pytest.mark.parametrize("form", ["path", "abstract"])
def test_what_systemd_is_told(site: Site, daemon, tmp_path: Path, form: str) -> None:
    address = str(tmp_path / "s") if form == "path" else f"@aggregator-{os.getpid()}-{tmp_path}"
    systemd = SystemD(address)
    try:
        site.post("1.md", article("eins"))
        running = daemon(
            *service_arguments(site),
            config=RARELY,
            NOTIFY_SOCKET=address,
            WATCHDOG_USEC="400000",
        )
        wait_for(lambda: systemd.count("READY=1"), what=lambda: running.log)
        assert titles(site) == ["eins"]
        assert "STATUS=1 article, 2 feeds" in systemd.messages
        fed = systemd.count("WATCHDOG=1")
        wait_for(lambda: systemd.count("WATCHDOG=1") > fed + 3)
        running.process.send_signal(signal.SIGHUP)
        wait_for(lambda: systemd.count("READY=1") == 2)
        assert "RELOADING=1" in systemd.messages
        assert any(message.startswith("MONOTONIC_USEC=") for message in systemd.messages)
        running.stop()
        order = [
            message
            for message in systemd.messages
            if message in ("READY=1", "RELOADING=1", "STOPPING=1")
        ]
        assert order == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    finally:
        systemd.close()


def test_106_a_stuck_loop_stops_the_watchdog(site: Site, daemon, tmp_path: Path) -> None:
    address = str(tmp_path / "s")
    systemd = SystemD(address)
    try:
        site.post("1.md", article("eins"))
        running = daemon(config=RARELY, NOTIFY_SOCKET=address, WATCHDOG_USEC="400000").ready()
        with Path(f"{site.store}.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            land(site, "2.md", article("zwei"))

            def is_quiet() -> bool:
                fed = systemd.count("WATCHDOG=1")
                threading.Event().wait(0.6)
                return systemd.count("WATCHDOG=1") == fed

            wait_for(is_quiet)
        wait_for(lambda: "zwei" in titles(site))
        fed = systemd.count("WATCHDOG=1")
        wait_for(lambda: systemd.count("WATCHDOG=1") > fed)
        running.stop()
    finally:
        systemd.close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_and_metrics_tell_the_truth(site: Site, daemon, upstream: Upstream) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site.post("1.md", article("eins"))
    site.post("bad.md", "nichts")
    site.configure(
        lambda text: text + f"lists:\n  - {{url: '{upstream.url}/list', shape: record}}\n"
    )
    upstream.document("/list", {"record": []})
    running = daemon("--listen", f"127.0.0.1:{port}").ready()
    base = f"http://127.0.0.1:{port}"

    read = 'requests_total{origin="lists:' + upstream.url + '/list",result="read"}'

    def metric(name: str) -> float:
        lines = get(f"{base}/metrics")[1].splitlines()
        values = [
            line.rpartition(" ")[2] for line in lines if line.startswith(f"aggregator_{name} ")
        ]
        return float(values[0]) if values else 0.0

    wait_for(lambda: metric(read))
    code, text = get(f"{base}/health")
    assert (code, json.loads(text)) == (200, {"healthy": True, "failures": []})
    code, text = get(f"{base}/all.atom")
    assert (code, text) == (200, (site.feeds / "all.atom").read_text("utf-8"))
    assert get(f"{base}/../config.yaml")[0] == 404
    assert (metric("articles"), metric("problems"), metric("healthy")) == (1, 1, 1)
    upstream.answers["/list"] = lambda handler: send(handler, 500)
    with sqlite3.connect(site.store) as connection:
        connection.execute("update url set next_at = 0")
    connection.close()
    site.posts.rename(site.root / "away")
    wait_for(lambda: get(f"{base}/health")[0] == 503)
    wait_for(lambda: metric("open_failures") == 2)
    failures = json.loads(get(f"{base}/health")[1])["failures"]
    assert any("no such folder" in failure for failure in failures)
    assert any("status 500" in failure for failure in failures)
    assert metric("healthy") == 0
    assert metric('failed_runs_total{stage="posts"}') >= 1
    (site.root / "away").rename(site.posts)
    del upstream.answers["/list"]
    with sqlite3.connect(site.store) as connection:
        connection.execute("update url set next_at = 0")
    connection.close()
    wait_for(lambda: get(f"{base}/health")[0] == 200)
    assert metric("open_failures") == 0
    assert get(f"{base}/other")[0] == 404
    with pytest.raises(urllib.error.HTTPError, match="405") as refusal:
        urllib.request.urlopen(f"{base}/health", data=b"x", timeout=10)
    refusal.value.close()
    running.stop()
    with socket.create_server(("127.0.0.1", port)):
        taken = site.run("run", "--listen", f"127.0.0.1:{port}")
    assert taken.code == 2
    assert "ddress already in use" in taken.err
    for line in ("no such folder", "status 500"):
        said = [text for text in running.log.splitlines() if line in text]
        assert len(said) == 2, said
        assert "resolved: " in said[1]


def test_a_store_that_is_held_for_a_while(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    running = daemon(config=RARELY).ready()
    reader = sqlite3.connect(site.store, isolation_level=None)
    reader.execute("begin immediate")
    land(site, "2.md", article("zwei"))
    threading.Event().wait(1.0)
    assert titles(site) == ["eins"]
    reader.execute("rollback")
    reader.close()
    wait_for(lambda: "zwei" in titles(site))
    running.stop()


def test_logs_as_json_and_for_the_journal(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    running = daemon("--log-format", "json", config=RARELY).ready()
    running.stop()
    lines = [json.loads(line) for line in running.log.splitlines()]
    assert [line for line in lines if line["level"] != "info"] == []
    assert lines[1]["message"] == "posts: 1 read, 1 new, 2 feeds written"
    running.path.unlink()
    site.posts.rename(site.root / "away")
    running = daemon(config=RARELY, JOURNAL_STREAM="1:2").ready()
    running.stop()
    assert all(re.match(r"<[346]>\S", line) for line in running.log.splitlines())
    assert "<3>" in running.log


@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_100_killed_at_random_moments_nothing_is_lost_or_doubled(
    site: Site, daemon, make_site: Callable[[str], Site], kills: int
) -> None:
    undisturbed = make_site("undisturbed")
    moments = random.Random(11)
    site.configure(lambda text: text + SCHEDULE)
    number = 0
    for _ in range(kills):
        running = Running(site, "-q")
        deadline = time.monotonic() + moments.uniform(0.05, 0.6)
        while time.monotonic() < deadline:
            land(site, f"{number}.md", article(f"T{number}", date="2022-01-28"))
            number += 1
            threading.Event().wait(0.05)
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()
        for path in site.feeds.rglob("*.atom") if site.feeds.is_dir() else ():
            assert path.read_bytes().endswith(b"</feed>\n"), path
    assert "Traceback" not in running.log
    for path in site.posts.iterdir():
        shutil.copy2(path, undisturbed.posts)
    site.build()
    undisturbed.build()
    # Archives are in the order of arrival: other documents, but the same articles in all.
    here, there = site.feed_bytes(), undisturbed.feed_bytes()
    assert here.keys() == there.keys()
    feeds = [path for path in here if not path.startswith("archives/")]
    assert {path: here[path] for path in feeds} == {path: there[path] for path in feeds}
    assert archived_ids(site) == archived_ids(undisturbed)
    with sqlite3.connect(site.store) as connection:
        rows = connection.execute("select count(*), max(revision) from article").fetchone()
    connection.close()
    assert rows == (number, 1)


def archived_ids(site: Site) -> list[str]:
    """The ids in the archives of the combined feed; each stands there once."""
    paths = (path for path in site.feed_bytes() if path.startswith("archives/all."))
    ids = sorted(entry.id for path in paths for entry in site.entries(path))
    assert len(ids) == len(set(ids))
    return ids


@pytest.mark.parametrize(
    "unit", ["aggregator.service", "aggregator-build.service", "aggregator-build.timer"]
)
def test_units_are_fine(tmp_path: Path, unit: str) -> None:
    if shutil.which("systemd-analyze") is None:
        text = (UNITS / unit).read_text("utf-8")
        assert re.search(r"^\[(Service|Timer)\]$", text, re.MULTILINE)
        return
    for path in UNITS.glob("aggregator*"):
        text = path.read_text("utf-8").replace("/opt/aggregator/.venv/bin/aggregator", str(COMMAND))
        (tmp_path / path.name).write_text(text, "utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.stdout + verified.stderr).strip() == ""
    if unit.endswith(".timer"):
        return
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout


def test_the_service_starts_what_there_is() -> None:
    for path in UNITS.glob("*.service"):
        for line in re.findall(r"^ExecStart=-?(.*)$", path.read_text("utf-8"), re.MULTILINE):
            command, _, arguments = line.partition(" ")
            assert command == "/opt/aggregator/.venv/bin/aggregator"
            parts = arguments.replace("/etc/aggregator/config.yaml", "none.yaml").split()
            parts = ["posts" if part == "%I" else part for part in parts]
            done = subprocess.run(
                [str(COMMAND), *parts], capture_output=True, text=True, check=False
            )
            assert done.returncode == 2
            assert "none.yaml: no such file" in done.stderr


@pytest.mark.sqlite
def test_98_a_full_disk_for_a_while(site: Site, daemon) -> None:
    """The feeds are on a disk of their own, which fills up and is cleared."""
    need_namespace("--user", "--map-root-user")
    (site.root / "feeds").mkdir()
    site.post("1.md", article("eins"))
    script = f"mount -t tmpfs -o size=160k tmpfs feeds; exec {COMMAND} run -v 2>log"
    site.configure(lambda text: text + SCHEDULE)
    process = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=site.root,
        start_new_session=True,
    )
    log = site.root / "log"
    feeds = Path(f"/proc/{process.pid}/root{site.feeds}")

    def published() -> str:
        path = feeds / "all.atom"
        return path.read_text("utf-8") if path.exists() else ""

    try:
        wait_for(lambda: log.exists() and "ready: " in log.read_text("utf-8"))
        assert "eins" in published()
        (feeds / "filler").write_bytes(b"x" * 90_000)
        text = random.Random(1).randbytes(30_000).hex()
        land(site, "2.md", article("gross", f"<p>{text}</p>", date="2022-01-28"))
        wait_for(lambda: "No space left" in log.read_text("utf-8"))
        assert "eins" in published()
        assert "gross" not in published()
        (feeds / "filler").unlink()
        subprocess.run(
            ["nsenter", f"--target={process.pid}", "--user", "--mount", "--preserve-credentials",
             "mount", "-o", "remount,size=20m", str(site.feeds)],
            check=True,
        )  # fmt: skip
        wait_for(lambda: "gross" in published())
        wait_for(lambda: "resolved: " in log.read_text("utf-8"))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    lines = [line for line in log.read_text("utf-8").splitlines() if "No space left" in line]
    assert len([line for line in lines if " error: " in line]) <= 2, lines
    assert "Traceback" not in log.read_text("utf-8")


CLOCK = """\
import sys, time
real = time.time
shift = sys.argv.pop(1)
def now():
    try:
        with open(shift) as file:
            return real() + float(file.read() or 0)
    except OSError:
        return real()
time.time = now
from aggregator.cli import main
main()
"""


def test_105_a_clock_that_is_set_back_and_forward(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    site.configure(lambda text: text + SCHEDULE)
    shift = site.root / "shift"
    (site.root / "clock.py").write_text(CLOCK)
    with (site.root / "log").open("ab") as log:
        process = subprocess.Popen(
            [str(COMMAND.parent / "python"), "clock.py", str(shift), "run"],
            cwd=site.root,
            stderr=log,
        )
    try:
        wait_for(lambda: "ready: " in (site.root / "log").read_text("utf-8"))
        updated = []
        for number, seconds in enumerate((-3600, 86_400, 0)):
            shift.write_text(str(seconds))
            path = site.posts / "1.md"
            path.write_text(article("eins", f"<p>Fassung {number}</p>"))
            os.utime(path, (1, 1))
            wait_for(
                lambda number=number: f"Fassung {number}" in site.entries()[0].content[0].value
            )
            updated.append(site.entries()[0].updated)
        assert updated == sorted(updated)
        assert len(set(updated)) == 3
    finally:
        process.terminate()
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert "Traceback" not in (site.root / "log").read_text("utf-8")


def of_the_daemon(site: Site) -> dict[str, Any]:
    """What `aggregator status` says of the daemon."""
    found: dict[str, Any] = site.run("status", "--json").json["daemon"]
    return found


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def change(site: Site, statement: str) -> None:
    """Change the store behind the daemon's back."""
    connection = sqlite3.connect(site.store, timeout=20)
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_row_that_breaks_the_hubs_thread(site: Site, daemon) -> None:
    """Its date is beyond what a date can be: found broken, seen, and told again when repaired."""
    hub = f"http://127.0.0.1:{free_port()}/"
    site.configure(lambda text: text + f"  hubs: ['{hub}']\n")
    site.post("1.md", article("eins"))
    port = free_port()
    running = daemon("-v", "--listen", f"127.0.0.1:{port}", config=RARELY).ready()
    wait_for(lambda: "hub " in " ".join(of_the_daemon(site)["failures"]))
    change(site, "insert into ping values ('http://127.0.0.2/', 'x', 9000000000000, 0, 0, null)")
    land(site, "2.md", article("zwei"))
    unread = f"{site.store}: damaged: a time cannot be read"
    wait_for(lambda: any(unread in text for text in of_the_daemon(site)["failures"]))
    (failure,) = [text for text in of_the_daemon(site)["failures"] if unread in text]
    assert re.search(r"a time cannot be read: .*year", failure)
    assert failure in site.run("status").out
    base = f"http://127.0.0.1:{port}"
    code, text = get(f"{base}/health")
    assert code == 503
    assert failure in json.loads(text)["failures"]
    assert re.search(r'failed_runs_total\{stage="hubs"\} [1-9]', get(f"{base}/metrics")[1])
    # It goes on trying, and says so once; a post is published all the same.
    runs = re.compile(r'^aggregator_runs_total\{stage="hubs"\} (\S+)', re.MULTILINE)

    def count() -> float:
        match = runs.search(get(f"{base}/metrics")[1])
        return float(match[1]) if match else 0.0

    before = count()
    wait_for(lambda: count() > before, LONGEST_PAUSE + 20)
    land(site, "3.md", article("drei"))
    wait_for(lambda: "drei" in titles(site))
    change(site, "delete from ping")
    land(site, "4.md", article("vier"))
    wait_for(lambda: failure not in get(f"{base}/health")[1], LONGEST_PAUSE + 20)
    change(site, "delete from ping")
    wait_for(lambda: get(f"{base}/health")[0] == 200, LONGEST_PAUSE + 20)
    wait_for(lambda: of_the_daemon(site)["failures"] == [])
    log = running.log
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(20) == 0
    said = [line for line in log.splitlines() if f" error: {failure}" in line]
    assert len(said) == 1
    assert f"resolved: {failure}" in log


@pytest.mark.parametrize(
    "table",
    [
        "url",
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("ping", "published_file")),
    ],
)
def test_a_table_that_is_gone_for_a_while(site: Site, daemon, table: str) -> None:
    """Telling hubs, polling the upstream and building fail, and go on when it is back."""
    hub = f"http://127.0.0.1:{free_port()}/"
    site.configure(lambda text: text + f"  hubs: ['{hub}']\n")
    site.post("1.md", article("eins"))
    running = daemon().ready()
    change(site, f"alter table {table} rename to elsewhere")
    land(site, "2.md", article("zwei"))
    failure = f"{site.store}: no such table: {table}"
    wait_for(lambda: f" error: {failure}" in running.log)
    change(site, f"alter table elsewhere rename to {table}")
    # A failure is known by its place: meanwhile it may have been that the store was held.
    wait_for(lambda: f"resolved: {site.store}: " in running.log)
    land(site, "3.md", article("drei"))
    wait_for(lambda: {"zwei", "drei"} <= set(titles(site)))
    wait_for(lambda: not any("no such" in text for text in of_the_daemon(site)["failures"]))
    running.stop()


def test_systemd_may_go_away(site: Site, daemon, tmp_path: Path) -> None:
    address = str(tmp_path / "s")
    systemd = SystemD(address)
    try:
        site.post("1.md", article("eins"))
        running = daemon(config=RARELY, NOTIFY_SOCKET=address, WATCHDOG_USEC="400000").ready()
    finally:
        systemd.close()
    os.unlink(address)
    wait_for(lambda: any("systemd" in text for text in of_the_daemon(site)["failures"]))
    land(site, "2.md", article("zwei"))
    wait_for(lambda: "zwei" in titles(site))
    running.stop()
    assert running.log.count(" error: systemd: ") == 1


@pytest.mark.alone_with_inotify
def test_a_folder_that_cannot_be_watched_is_polled_by_the_schedule(site: Site, daemon) -> None:
    """No inotify instance is to be had at the start."""
    site.post("1.md", article("eins"))
    limit = Path("/proc/sys/fs/inotify/max_user_instances")
    held: list[int] = []
    libc = ctypes.CDLL(None, use_errno=True)
    while len(held) < 100_000 and (descriptor := libc.inotify_init1(os.O_CLOEXEC)) >= 0:
        held.append(descriptor)
    assert held, limit
    try:
        running = daemon().ready()
        wait_for(
            lambda: any("cannot be watched" in text for text in of_the_daemon(site)["failures"])
        )
        land(site, "2.md", article("zwei"))
        wait_for(lambda: "zwei" in titles(site))
    finally:
        for descriptor in held:
            os.close(descriptor)
    wait_for(lambda: of_the_daemon(site)["failures"] == [])
    running.stop()
    assert running.log.count(" error: ") == 1


def test_a_log_that_cannot_be_written_stops_nothing(site: Site, inotify: None) -> None:
    site.configure(lambda text: text + RARELY)
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen([str(COMMAND), "run"], cwd=site.root, stderr=full)
    try:
        for number in range(1, 9):
            if number == 1:
                site.post("1.md", article("T1"))
            else:
                land(site, f"{number}.md", article(f"T{number}"))
            wait_for(lambda number=number: f"T{number}" in titles(site))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_what_lands_while_a_folder_is_replaced_is_published(site: Site, daemon) -> None:
    site.post("1.md", article("eins"))
    running = daemon(config=RARELY).ready()
    for number in range(2, 5):
        site.posts.rename(site.root / f"away{number}")
        site.posts.mkdir()
        land(site, "1.md", article("eins"))
        land(site, f"{number}.md", article(f"T{number}"))
        wait_for(lambda number=number: f"T{number}" in titles(site), what=lambda: running.log)
    running.stop()
