"""The folder of feeds over HTTP, as an ASGI application (RFC 9110)."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from aggregator.serve.files import Published, PublishedFiles
from aggregator.serve.http_conditions import (
    byte_range,
    codings,
    is_browser,
    is_range_wanted,
    is_unchanged,
)

_ALLOWED = "GET, HEAD, OPTIONS"
# What a script of another site needs to poll a feed as politely as a reader does.
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since, Range",
    "Access-Control-Max-Age": "86400",
    "Allow": _ALLOWED,
}
_REFUSAL = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class FeedFolder:
    """Gives what is published in a folder, and nothing else that is there.

    Every answer has one whole version of a file, also while that is replaced.
    """

    def __init__(self, directory: Path) -> None:
        self._files = PublishedFiles(directory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        if method not in ("GET", "HEAD"):
            await self._other_method(method)(scope, receive, send)
            return
        headers = dict(scope["headers"])
        asks_range = headers.get(b"range") if method == "GET" else None
        # Ranges are those of the file itself.
        wanted = () if asks_range else codings(headers.get(b"accept-encoding", b""))
        coding = wanted[0] if wanted else ""
        found = await self._files.find("/index.html" if path == "/" else path, coding)
        if found is None:
            refusal = PlainTextResponse("there is no such feed\n", 404, headers=_REFUSAL)
            await refusal(scope, receive, send)
            return
        await _answer(found, coding, headers, method, asks_range, send)

    @staticmethod
    def _other_method(method: str) -> Response:
        if method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        return PlainTextResponse(
            "only GET and HEAD\n", 405, headers={**_REFUSAL, "Allow": _ALLOWED}
        )


async def _answer(
    found: Published,
    coding: str,
    headers: dict[bytes, bytes],
    method: str,
    asks_range: bytes | None,
    send: Send,
) -> None:
    shown = found.representations[coding]
    if is_unchanged(
        headers.get(b"if-none-match"), headers.get(b"if-modified-since"), shown.etag, found.modified
    ):
        await _send(send, 304, shown.headers_unchanged, b"")
        return
    is_shown = is_browser(headers.get(b"accept", b""))
    own = shown.headers_for_browsers if is_shown else shown.headers
    size = len(shown.body)
    if asks_range is not None and is_range_wanted(
        headers.get(b"if-range"), shown.etag, found.modified
    ):
        try:
            part = byte_range(asks_range, size)
        except ValueError:
            outside = [(b"content-range", f"bytes */{size}".encode()), (b"content-length", b"0")]
            await _send(send, 416, [*shown.headers_unchanged, *outside], b"")
            return
        if part is not None:
            first, last = part
            body = shown.body[first : last + 1]
            inside = (b"content-range", f"bytes {first}-{last}/{size}".encode())
            length = (b"content-length", str(len(body)).encode())
            await _send(send, 206, [*own, inside, length], body)
            return
    length = (b"content-length", str(size).encode())
    await _send(send, 200, [*own, length], b"" if method == "HEAD" else shown.body)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
