"""Connections to checked addresses only."""

import socket
from typing import Any

import pytest
from fetching import fetch
from upstream import Upstream

from aggregator.model.errors import FetchError


@pytest.mark.parametrize("addresses", [["127.0.0.2", "10.0.0.1"], ["10.0.0.1", "127.0.0.2"]])
def test_36_a_name_with_a_private_address_too_is_refused(
    upstream: Upstream, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    port = upstream.host.partition(":")[2]
    with pytest.raises(FetchError, match=r"10\.0\.0\.1 is not a public address"):
        fetch(f"http://two.example:{port}/x")
    assert upstream.asked == []


def test_37_a_name_is_resolved_once_for_check_and_connection(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["127.0.0.2", "10.0.0.1", "10.0.0.1"])

    def resolve(host: str, port: int, **_: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    upstream.document("/x", b"gut")
    port = upstream.host.partition(":")[2]
    assert fetch(f"http://rebinding.example:{port}/x").body == b"gut"
    assert upstream.asked[0][1]["host"] == f"rebinding.example:{port}"
