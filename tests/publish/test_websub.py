"""Hubs are told of feeds that changed (WebSub), and delay nothing."""

import os
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from conftest import COMMAND, Site, article
from waiting import wait_for

FEEDS = "https://finews.example.org/feeds/"


class Hub:
    """A hub that notes what it is told, and answers as the test wants."""

    def __init__(self) -> None:
        self.told: list[dict[str, list[str]]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.hangs = threading.Event()
        self.free = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                hub.told.append(parse_qs(body.decode()))
                if hub.hangs.is_set():
                    hub.free.wait(30)
                status, headers = hub.answers.pop(0) if hub.answers else (204, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # a client that left

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def topics(self) -> list[str]:
        return sorted(form["hub.url"][0] for form in self.told)

    def close(self) -> None:
        self.free.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    found = Hub()
    yield found
    found.close()


@pytest.fixture
def with_hub(site: Site, hub: Hub) -> Site:
    site.configure(
        lambda text: (
            text
            + f"  hubs: ['{hub.url}']\n"
            + "fetch: {allow_private_addresses: [127.0.0.0/8], timeout: 20s}\n"
            + "schedule: {posts: 1s}\n"
        )
    )
    site.post("1.md", article("eins"))
    return site


@pytest.fixture
def daemon(with_hub: Site, inotify: None) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        with (with_hub.root / "log").open("ab") as log:
            started.append(subprocess.Popen([str(COMMAND), "run"], cwd=with_hub.root, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def land(site: Site, name: str, text: str) -> None:
    temporary = site.root / f".{name}"
    temporary.write_text(text, "utf-8")
    os.replace(temporary, site.posts / name)


def tell(site: Site, expect: int = 0) -> dict[str, Any]:
    result = site.run("poll", "--only", "hubs", "--json")
    assert result.code == expect, result.err
    found: dict[str, Any] = result.json["hubs"]
    return found


def test_a_hub_is_told_of_each_feed_that_changed(with_hub: Site, hub: Hub) -> None:
    with_hub.build()
    assert hub.told == []
    assert tell(with_hub)["notified"] == 2
    assert hub.topics == [f"{FEEDS}all.atom", f"{FEEDS}sources/huaxiashibao.atom"]
    assert hub.told[0]["hub.mode"] == ["publish"]
    hub.told.clear()
    with_hub.build("--full")
    tell(with_hub)
    assert hub.topics == []
    with_hub.post("2.md", article("zwei", source="chenbao", name="晨报"))
    with_hub.build()
    tell(with_hub)
    assert hub.topics == [f"{FEEDS}all.atom", f"{FEEDS}sources/chenbao.atom"]


def test_a_feed_that_changed_twice_is_told_of_once(with_hub: Site, hub: Hub) -> None:
    with_hub.build()
    with_hub.post("2.md", article("zwei"))
    with_hub.build()
    assert tell(with_hub)["notified"] == 2


def test_a_hub_that_fails_is_tried_again_when_it_wants(with_hub: Site, hub: Hub) -> None:
    hub.answers = [(503, {"Retry-After": "3600"})]
    with_hub.build()
    found = tell(with_hub, expect=1)
    assert "status 503" in found["failures"][0]
    # One request was enough to know that it wants a pause, for later changes, too.
    with_hub.post("2.md", article("zwei", source="chenbao", name="晨报"))
    with_hub.build()
    tell(with_hub)
    assert len(hub.told) == 1
    (status,) = with_hub.run("status", "--json").json["hubs"]
    assert (status["waiting"], status["error"]) == (3, "status 503")
    with sqlite3.connect(with_hub.store) as connection:
        rows = connection.execute(
            "select max(due_at) - min(since), count(distinct due_at) from ping"
        )
        ((wait, moments),) = rows
        assert 3590 <= wait <= 3620
        assert moments == 1
        connection.execute("update ping set due_at = 0")
    connection.close()
    assert tell(with_hub)["notified"] == 3
    assert with_hub.run("status", "--json").json["hubs"] == []


def test_a_hub_that_fails_for_a_day_is_given_up(with_hub: Site, hub: Hub) -> None:
    hub.answers = [(500, {})] * 2
    with_hub.build()
    tell(with_hub, expect=1)
    with sqlite3.connect(with_hub.store) as connection:
        connection.execute("update ping set due_at = 0, since = since - 90000")
    connection.close()
    assert tell(with_hub, expect=1)["given_up"] == 2


def test_the_daemon_tells_at_once_and_again_after_503(
    with_hub: Site, hub: Hub, daemon: Callable[[], Any]
) -> None:
    hub.answers = [(503, {"Retry-After": "1"})]
    daemon()
    wait_for(lambda: {f"{FEEDS}all.atom", f"{FEEDS}sources/huaxiashibao.atom"} <= set(hub.topics))
    wait_for(lambda: len(hub.told) == 3)
    hub.told.clear()
    land(with_hub, "2.md", article("zwei", date="2022-02-01"))
    wait_for(lambda: len(hub.told) == 2, 10)


def test_a_dead_hub_delays_nothing(with_hub: Site, hub: Hub, daemon: Callable[[], Any]) -> None:
    hub.hangs.set()
    daemon()
    wait_for(lambda: hub.told)
    for number in range(3):
        land(with_hub, f"new{number}.md", article(f"neu{number}", date=f"2022-02-0{number + 1}"))
        wait_for(lambda n=number: f"neu{n}" in (with_hub.feeds / "all.atom").read_text("utf-8"), 5)
    assert len(hub.told) == 1
