"""HTTP over the folder of feeds (design §3: `serve`)."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from aggregator.errors import ConfigError
from aggregator.serve import connections
from aggregator.serve.folder import FeedFolder

__all__ = ["FeedFolder", "listen", "make_server", "run", "url_of"]

BACKLOG = 1024


def listen(address: str, option: str) -> socket.socket:
    """A socket that listens at ADDRESS:PORT.

    Raises `ConfigError`, which names the `option`, for an address that is none or taken.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        listener.listen(BACKLOG)
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "write ADDRESS:PORT"
        raise ConfigError(f"{option} {address}: {reason}") from error
    return listener


class Server(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: a server in a thread may not, and a command ends with 0."""
        yield


def make_server(
    application: Any, protocol: type[connections.ImpatientProtocol] = connections.ImpatientProtocol
) -> Server:
    """A server for an ASGI application, yet to be run with sockets."""
    return Server(
        uvicorn.Config(
            application,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=connections.MAX_CONNECTIONS,
            timeout_keep_alive=connections.IDLE_SECONDS,
            timeout_graceful_shutdown=2,
        )
    )


def run(directory: Path, address: str, ready: Callable[[str], None]) -> None:
    """Give the feeds of a folder at ADDRESS:PORT until SIGTERM or SIGINT.

    `ready` is told the address of the page.  Raises `ConfigError` for an address that is
    none or taken, and for a folder that is not there.
    """
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no feeds there yet; run aggregator build-feeds first")
    listener = listen(address, "--listen")
    server = make_server(FeedFolder(directory))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    ready(url_of(listener))
    server.run(sockets=[listener])


def url_of(listener: socket.socket) -> str:
    """The address of a listening socket as people open it."""
    host, port, *_ = listener.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
