"""Requests for feeds, and their responses."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aggregator.serve.app import FeedFolder

DATA = bytes(range(100))


@pytest.fixture
def application(tmp_path: Path) -> FeedFolder:
    (tmp_path / "all.atom").write_bytes(DATA)
    (tmp_path / "index.html").write_bytes(b"page")
    return FeedFolder(tmp_path)


def ask(
    application: FeedFolder, path: str = "/all.atom", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """The status, the headers and the body of the response."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": named, "query_string": b""}
    asyncio.run(application(scope, receive, send))
    start, *rest = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], found, b"".join(part.get("body", b"") for part in rest)


def test_a_feed_and_the_page(application: FeedFolder) -> None:
    status, headers, body = ask(application)
    assert (status, body, headers["content-length"]) == (200, DATA, "100")
    assert ask(application, "/")[2] == b"page"
    assert ask(application, "/none.atom")[0] == 404
    assert ask(application, accept="text/html")[1]["content-type"].startswith("application/xml")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "X"])
def test_other_methods(application: FeedFolder, method: str) -> None:
    status, headers, _ = ask(application, method=method)
    assert (status, headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_script_of_another_site_may_ask_conditionally(application: FeedFolder) -> None:
    status, headers, body = ask(application, method="OPTIONS")
    assert (status, body, headers["access-control-allow-origin"]) == (204, b"", "*")
    assert "If-None-Match" in headers["access-control-allow-headers"]


def test_what_the_client_has_is_not_sent_again(application: FeedFolder) -> None:
    _, headers, _ = ask(application)
    for known in (
        {"if_none_match": headers["etag"]},
        {"if_none_match": f'"x", W/{headers["etag"]}'},
        {"if_modified_since": headers["last-modified"]},
    ):
        status, found, body = ask(application, **known)
        assert (status, body, found["etag"]) == (304, b"", headers["etag"])
    assert ask(application, if_none_match='"x"')[0] == 200
    # The tag is that of the coding that is sent.
    assert ask(application, if_none_match=headers["etag"], accept_encoding="gzip")[0] == 200


def test_parts(application: FeedFolder) -> None:
    _, headers, _ = ask(application)
    status, found, body = ask(application, range="bytes=10-19", accept_encoding="gzip")
    assert (status, body, found["content-range"]) == (206, DATA[10:20], "bytes 10-19/100")
    assert found["content-length"] == "10"
    assert "content-encoding" not in found
    assert ask(application, range="bytes=-1")[2] == DATA[99:]
    status, found, _ = ask(application, range="bytes=100-")
    assert (status, found["content-range"]) == (416, "bytes */100")
    assert ask(application, range="bytes=0-1,3-4")[0] == 200
    assert ask(application, range="bytes=0-1", if_range=headers["etag"])[0] == 206
    assert ask(application, range="bytes=0-1", if_range='"old"')[0] == 200
