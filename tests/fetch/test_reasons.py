"""Unusual responses: which are read, and the reasons of those that are not."""

import gzip
import re
import socket
from ipaddress import ip_address

import pytest
from fetching import fetch, limited
from hostile_server import HostileServer, sends, whole

from aggregator.fetch.addresses import is_allowed
from aggregator.model.errors import FetchError
from aggregator.model.polls import Request

GOOD = "北京商报".encode()
CHUNKED = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole(200, GOOD),
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + whole(200, GOOD),
        *(
            whole(200, GOOD, "text/plain", f"Content-Encoding: {name}")
            for name in ("none", "UTF-8", "identity", "identity, utf-8", "aws-chunked")
        ),
        whole(200, gzip.compress(GOOD), "application/x-gzip"),
    ],
)
def test_what_is_unusual_is_read(hostile: HostileServer, answer: bytes) -> None:
    hostile.answers["/x"] = sends(answer)
    assert fetch(f"http://127.0.0.2:{hostile.port}/x").body == GOOD


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (whole(206, GOOD, "text/plain", "Content-Range: bytes 0-3/99"), "sent a partial response"),
        (CHUNKED + b"-5\r\nabc\r\n", "^not HTTP: an invalid length$"),
        (CHUNKED + b"zz\r\nabc\r\n", "^the response was cut off$"),
        (b"\x1b]0;pwned\x07\x1b[31mEVIL\r\n\r\n", r"^not HTTP: it begins with \"\\x1b\]0;pwned"),
        (b"", "^the server hung up without a response$"),
        (whole(101), ""),
    ],
)
def test_what_is_no_response_has_a_reason_for_people(
    hostile: HostileServer, answer: bytes, reason: str
) -> None:
    requests = []

    def once(connection: socket.socket) -> None:
        requests.append(connection)
        connection.sendall(answer)

    hostile.answers["/x"] = once
    if reason:
        with pytest.raises(FetchError) as raised:
            fetch(f"http://127.0.0.2:{hostile.port}/x")
        assert re.search(reason, raised.value.reason), raised.value.reason
        assert raised.value.reason.isprintable()
    else:
        assert fetch(f"http://127.0.0.2:{hostile.port}/x").body is None
    assert len(requests) == 1


def test_a_kept_connection_that_was_closed_is_replaced_once(hostile: HostileServer) -> None:
    requests: list[bytes] = []

    def twice(connection: socket.socket) -> None:
        requests.append(b"")
        connection.sendall(whole(200, GOOD).replace(b"Connection: close\r\n", b""))
        if len(requests) == 1:
            # The next request is read, and never answered.
            connection.recv(65536)

    hostile.answers["/x"] = twice
    url = f"http://127.0.0.2:{hostile.port}/x"
    with limited() as fetcher:
        for _ in range(2):
            assert fetcher.fetch(Request(url, obey_robots=False)).body == GOOD
    assert len(requests) == 2


def test_documentation_addresses_are_not_public() -> None:
    assert not is_allowed(ip_address("3fff::1"), ())
