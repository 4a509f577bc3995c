"""An upstream as the sample posts have it, over real HTTP on loopback."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADDRESS = "127.0.0.2"


class Upstream:
    """Texts by code, and documents by path; both may change while it runs.

    `answers` go first: a function for a path is given the handler, and does as it likes.
    """

    def __init__(self, address: str = ADDRESS) -> None:
        self.texts: dict[str, str] = {}
        self.documents: dict[str, tuple[str, bytes]] = {}
        self.answers: dict[str, Callable[[Any], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.times: list[float] = []
        self.has_etags = True
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Without this, Nagle and delayed acknowledgement cost 40 ms a request.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                upstream.times.append(time.monotonic())
                upstream.asked.append((self.path, headers))
                upstream._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass  # a client that was killed

        self._server = Server((address, 0), Handler)
        self._server.daemon_threads = True
        self.host = f"{address}:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def share_url(self, code: str) -> str:
        return f"{self.url}/html_News/NewsShare.html?infoCode={code}"

    def text_path(self, code: str) -> str:
        return f"/NewsData/GetNewsText.do?id={code}"

    def document(self, path: str, content: Any, media_type: str = "application/json") -> str:
        """Publish a document; return its URL."""
        if not isinstance(content, bytes):
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
            content = text.encode()
        self.documents[path] = (media_type, content)
        return self.url + path

    def count(self, part: str = "GetNewsText") -> int:
        """How many requests there were for paths with `part`."""
        return sum(1 for path, _ in self.asked if part in path)

    def counts(self) -> Counter[str]:
        return Counter(path for path, _ in self.asked)

    def _answer(self, handler: Any) -> None:
        path = handler.path
        if path in self.answers:
            self.answers[path](handler)
            return
        parts = urlsplit(path)
        code = parse_qs(parts.query).get("id", [""])[0]
        if parts.path == "/NewsData/GetNewsText.do" and code in self.texts:
            body = json.dumps({"content": self.texts[code]}, ensure_ascii=False).encode()
            send(handler, 200, body, "application/json; charset=utf-8", etag=self.has_etags)
        elif path in self.documents:
            media_type, body = self.documents[path]
            send(handler, 200, body, media_type, etag=self.has_etags)
        else:
            send(handler, 404, b"not found", "text/plain")


def send(
    handler: Any,
    status: int,
    body: bytes = b"",
    media_type: str = "text/plain",
    *,
    etag: bool = False,
    headers: dict[str, str] | None = None,
) -> None:
    """Answer a request, with 304 where its validators still fit."""
    tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
    if etag and handler.headers.get("If-None-Match") == tag:
        status, body = 304, b""
    handler.send_response(status)
    if etag:
        handler.send_header("ETag", tag)
    if status != 304:
        handler.send_header("Content-Type", media_type)
        handler.send_header("Content-Length", str(len(body)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)
