"""Connections end in time, whatever the client does."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from waiting import wait_for

from aggregator.serve import http_protocol, server

WHOLE = b"GET /all.atom HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def patience(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[uvicorn.Server]:
    """A server that has little of it."""
    monkeypatch.setattr(http_protocol, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(http_protocol, "RESPONSE_SECONDS", 0.3)
    (tmp_path / "all.atom").write_bytes(b"x" * 20_000_000)
    made = server.make_server(server.FeedFolder(tmp_path))
    with server.listen("127.0.0.1:0", "--listen") as listener:
        thread = threading.Thread(target=made.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_for(lambda: made.started)
        yield made
        made.should_exit = True
        thread.join(20)


@pytest.fixture
def port(patience: uvicorn.Server) -> int:
    number: int = patience.servers[0].sockets[0].getsockname()[1]
    return number


def seconds_until_closed(port: int, first: bytes, drip: bytes = b"") -> float:
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=0.05) as connection:
        connection.sendall(first)
        while time.monotonic() - started < 10:
            try:
                connection.sendall(drip)
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - started


@pytest.mark.parametrize(
    ("first", "drip"), [(b"", b""), (b"GET / HT", b""), (b"GET / HTTP/1.1\r\nX: ", b"x")]
)
def test_a_request_has_to_arrive_in_time(port: int, first: bytes, drip: bytes) -> None:
    assert 0.25 < seconds_until_closed(port, first, drip) < 5


def test_a_request_has_a_size(port: int) -> None:
    large = b"GET / HTTP/1.1\r\nX: " + b"x" * http_protocol.MAX_REQUEST
    assert seconds_until_closed(port, large) < 0.25


def test_a_response_has_to_be_taken_in_time(patience: uvicorn.Server, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(WHOLE)
        wait_for(lambda: patience.server_state.connections)
        started = time.monotonic()
        wait_for(lambda: not patience.server_state.connections)
        assert 0.2 < time.monotonic() - started < 5


def test_a_client_that_is_quick_gets_all_and_may_ask_again(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for _ in range(2):
            connection.sendall(WHOLE)
            size = 0
            while size < 20_000_000:
                size += len(connection.recv(1_000_000))
            time.sleep(0.4)  # between two requests there is more time
