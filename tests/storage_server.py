"""A small S3 server for tests, which counts requests and can be told to fail.

It is that of the package moto, in threads of this process; without it, such tests are skipped.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_NUMBERS = itertools.count(1)


class StorageServer:
    """The server; `requests` are those so far: method and path within the bucket.

    `before` is called with them ahead of each request: it returns a status to answer with,
    None to go on.  All servers of a process have the same buckets.
    """

    def __init__(self) -> None:
        pytest.importorskip("obstore")
        server = pytest.importorskip("moto.server")
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, *_: object) -> None:
                pass

        self._application = server.DomainDispatcherApplication(server.create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self._respond, threaded=True, request_handler=Quiet
        )
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.requests: list[tuple[str, str]] = []
        self.before: Callable[[str, str], str | None] = lambda method, path: None
        self._former = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds the server by."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "key-of-the-test",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-test",
        }

    def new_bucket(self) -> Bucket:
        """Return an empty bucket."""
        return Bucket(self, f"bucket-{next(_NUMBERS)}")

    def reset(self) -> None:
        """Be as new, but for the buckets."""
        self.requests.clear()
        self.before = lambda method, path: None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        for name, value in self._former.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def _respond(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        within = path.lstrip("/").partition("/")[2]
        status = None
        if environ.get("HTTP_X_BY") != "the test":
            self.requests.append((method, within))
            status = self.before(method, within)
        if status is not None:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(status, [("Content-Type", "text/xml"), ("Connection", "close")])
            return [b"<Error><Code>Planned</Code></Error>"]
        found: Iterable[bytes] = self._application(environ, start)
        return found


class Bucket:
    """A bucket, looked at and changed past the command."""

    def __init__(self, server: StorageServer, name: str) -> None:
        from obstore.store import S3Store

        self.name = name
        self._store = S3Store(
            name,
            endpoint=server.url,
            access_key_id="k",
            secret_access_key="s",
            client_options={"allow_http": True, "default_headers": {"X-By": "the test"}},
        )
        import urllib.request

        request = urllib.request.Request(f"{server.url}/{name}", method="PUT")
        request.add_header("X-By", "the test")
        urllib.request.urlopen(request).close()

    def objects(self) -> dict[str, str]:
        """The ETag of each object by its path."""
        import obstore

        found = obstore.list(self._store).collect()
        return {item["path"]: str(item["e_tag"]) for item in found}

    def read(self, path: str) -> bytes:
        import obstore

        return bytes(obstore.get(self._store, path).bytes())

    def attributes(self, path: str) -> dict[str, str]:
        import obstore

        return dict(obstore.get(self._store, path).attributes)

    def write(self, path: str, data: bytes, **attributes: str) -> None:
        import obstore

        named = {name.replace("_", "-"): value for name, value in attributes.items()}
        obstore.put(self._store, path, data, attributes=named or None)

    def remove(self, path: str) -> None:
        import obstore

        obstore.delete(self._store, path)
