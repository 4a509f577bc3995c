"""The folder of feeds over HTTP, as an ASGI application (RFC 9110)."""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from aggregator.serve.files import PublishedFiles, Representation
from aggregator.serve.http_conditions import accepted_codings, byte_range, is_browser

_ALLOWED = "GET, HEAD, OPTIONS"
# What a script of another site needs to poll a feed with conditional requests.
PREFLIGHT = Response(
    status_code=204,
    headers={
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since, Range",
        "Access-Control-Max-Age": "86400",
        "Allow": _ALLOWED,
    },
)
ERROR_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_NOT_FOUND = PlainTextResponse("there is no such feed\n", 404, headers=ERROR_HEADERS)
NOT_ALLOWED = PlainTextResponse(
    "only GET and HEAD\n", 405, headers={**ERROR_HEADERS, "Allow": _ALLOWED}
)
# Its files are not used: it reads a file in pieces, also while that is replaced by another.
_CONDITIONS = StaticFiles()


class FeedFolder:
    """Serves what is published in a folder, and nothing else that is there.

    Every response has one whole version of a file, also while that is replaced.
    """

    def __init__(self, directory: Path) -> None:
        self._files = PublishedFiles(directory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request; for HEAD the server leaves the body out."""
        if scope["type"] == "http":
            response = await self._response(scope)
            await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        method, path, headers = scope["method"], scope["path"], Headers(scope=scope)
        if method == "OPTIONS":
            return PREFLIGHT
        if method not in ("GET", "HEAD"):
            return NOT_ALLOWED
        range_header = headers.get("range") if method == "GET" else None
        # A range is one of the file itself, not of a coding.
        codings = () if range_header else accepted_codings(headers.get("accept-encoding", ""))
        coding = codings[0] if codings else ""
        found = await self._files.find("/index.html" if path == "/" else path, coding)
        if found is None:
            return _NOT_FOUND
        whole = response_for(found, headers)
        if whole is found.not_modified:
            return whole
        validators = (None, whole.headers["etag"], whole.headers["last-modified"])
        if range_header and headers.get("if-range") in validators:
            return _partial(found, whole, range_header)
        return whole


def response_for(found: Representation, headers: Headers) -> Response:
    """Return which response a request gets by its conditions (§13) and its `Accept`."""
    if _CONDITIONS.is_not_modified(found.whole.headers, headers):
        return found.not_modified
    return found.for_browsers if is_browser(headers.get("accept", "")) else found.whole


def _partial(found: Representation, whole: Response, range_header: str) -> Response:
    """Return the response to a `Range` (§14.2)."""
    size = len(whole.body)
    try:
        part = byte_range(range_header, size)
    except ValueError:
        headers = {**found.not_modified.headers, "content-range": f"bytes */{size}"}
        return Response(status_code=416, headers=headers)
    if part is None:
        return whole
    first, last = part
    headers = {**whole.headers, "content-range": f"bytes {first}-{last}/{size}"}
    del headers["content-length"]
    return Response(whole.body[first : last + 1], 206, headers)
