"""The daemon's HTTP: the feeds, /metrics for Prometheus, /health for people and load balancers."""

from __future__ import annotations

import threading
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from aggregator.config.schema import Settings
from aggregator.daemon.health import Health
from aggregator.serve import server
from aggregator.serve.app import FeedFolder
from aggregator.serve.search import Search

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NOT_HERE = PlainTextResponse("feeds are not served here\n", 404, headers=_HEADERS)


def start(address: str, health: Health, settings: Settings) -> int:
    """Serve at ADDRESS:PORT in a thread, with the feeds of a folder, and searches; return the port.

    Feeds at a URL, in object storage, are served by the storage.  A server that breaks down is
    started again.  Raises `ConfigError` if the address is invalid or in use.
    """

    def metrics(request: Request) -> Response:
        text = generate_latest(health.metrics.registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST, headers=_HEADERS)

    def healthy(request: Request) -> Response:
        reasons = health.reasons_unhealthy()
        return JSONResponse(
            {"healthy": not reasons, "failures": reasons},
            status_code=503 if reasons else 200,
            headers=_HEADERS,
        )

    folder = settings.feeds_address
    feeds = FeedFolder(folder) if isinstance(folder, Path) else _NOT_HERE
    listeners = [server.listen(address, "--listen")]
    host, port = address.rpartition(":")[0], int(listeners[0].getsockname()[1])

    def turn() -> None:
        listener = listeners.pop() if listeners else server.listen(f"{host}:{port}", "--listen")
        application = Starlette(
            routes=[
                Route("/metrics", metrics),
                Route("/health", healthy),
                Mount("/", app=Search(settings, feeds)),
            ]
        )
        with listener:
            try:
                server.make_server(application).run(sockets=[listener])
            except SystemExit as error:
                raise OSError("the server broke down") from error
        raise OSError("the server ended")

    health.start_loop("listen", turn, threading.Event())
    return port
