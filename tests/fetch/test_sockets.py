"""Which of a host's addresses a connection goes to, and when the next one is tried."""

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from upstream import Upstream

from aggregator.config.schema import Fetch
from aggregator.fetch.fetcher import Fetcher
from aggregator.model.errors import FetchError
from aggregator.model.polls import Request


@contextlib.contextmanager
def black_hole(address: str, port: int) -> Iterator[None]:
    """An address that answers no attempt to connect: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((address, port))
        yield


def fetch(url: str, timeout: str = "3s") -> bytes | None:
    limits = {"timeout": timeout, "allow_private_addresses": ["127.0.0.0/8", "::1/128"]}
    with Fetcher(Fetch.model_validate(limits), "test/1") as fetcher:
        return fetcher.fetch(Request(url, obey_robots=False)).body


def resolves_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def resolve(host: str, port: int, **_: object) -> list[Any]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (one, port, 0, 0))
            if ":" in one
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


def test_an_address_that_does_not_answer_keeps_the_next_one_not_waiting(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.document("/x", b"gut")
    port = int(upstream.host.partition(":")[2])
    resolves_to(monkeypatch, "127.0.0.9", "127.0.0.8", "127.0.0.2")
    with black_hole("127.0.0.9", port), black_hole("127.0.0.8", port):
        start = time.monotonic()
        assert fetch(f"http://two.example:{port}/x") == b"gut"
        assert time.monotonic() - start < 2


def test_addresses_of_one_family_do_not_hide_the_other(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.document("/x", b"gut")
    port = int(upstream.host.partition(":")[2])
    resolves_to(monkeypatch, *["::1"] * 6, "127.0.0.2")
    assert fetch(f"http://two.example:{port}/x") == b"gut"


def test_addresses_that_all_fail_say_why(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(upstream.host.partition(":")[2])
    resolves_to(monkeypatch, "127.0.0.9", "127.0.0.8")
    with pytest.raises(FetchError, match="connection refused"):
        fetch(f"http://two.example:{port}/x")
    with black_hole("127.0.0.8", port), pytest.raises(FetchError, match=r"within 0\.5 s"):
        fetch(f"http://two.example:{port}/x", timeout="0.5s")


@pytest.mark.parametrize("kind", ["refused at once", "unknown family"])
def test_an_address_that_fails_at_once_costs_the_others_nothing(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The good address is slow, so that another one is tried meanwhile."""
    upstream.document("/x", b"gut")
    port = int(upstream.host.partition(":")[2])
    # The kernel refuses to connect to a broadcast address, and knows no family 99.
    family, bad = (socket.AF_INET, "255.255.255.255") if kind == "refused at once" else (99, "::1")
    found = [
        (family, socket.SOCK_STREAM, 6, "", (bad, port)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    limits = {"timeout": "3s", "allow_private_addresses": True}
    url = f"http://two.example:{port}/x"

    def body() -> bytes | None:
        with Fetcher(Fetch.model_validate(limits), "test/1") as fetcher:
            return fetcher.fetch(Request(url, obey_robots=False)).body

    assert body() == b"gut"
    found.reverse()
    assert body() == b"gut"
    del found[0]
    with pytest.raises(FetchError):
        body()
