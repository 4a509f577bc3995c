"""The HTTP server of a folder of feeds."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from aggregator import processes
from aggregator.config.schema import Settings
from aggregator.model.errors import ConfigError
from aggregator.serve import http_protocol
from aggregator.serve.app import FeedFolder
from aggregator.serve.search import Search

__all__ = ["FeedFolder", "host_and_port", "listen", "make_server", "run", "url_of"]

BACKLOG = 1024
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"  # noqa: S104
EXAMPLE = f"{LOOPBACK}:8610"
_ADDRESS = re.compile(
    r"(?:(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[\w.-]*)):)?(?P<port>[0-9]{1,5})", re.ASCII
)


def listen(address: str, option: str) -> socket.socket:
    """Return a socket that listens at ADDRESS:PORT; without ADDRESS at 127.0.0.1.

    Raises `ConfigError`, which names the `option`, if the address is invalid or in use.
    """
    try:
        host, port = host_and_port(address)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio turns Nagle's algorithm off (40 ms a response) only where TCP is named.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        raise ConfigError(f"{option} {address}: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{option} {address}: {error}") from error
    return listener


def host_and_port(address: str) -> tuple[str, int]:
    """Split ADDRESS:PORT, :PORT or PORT.

    Raises `ValueError` with what to write instead, also for a short form of 0.0.0.0: nobody
    is to listen at every address by accident.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"write ADDRESS:PORT, such as {EXAMPLE}")
    host = match["six"] or match["host"] or LOOPBACK
    if host != EVERYWHERE and _is_everywhere(host):
        raise ValueError(f"to listen at every address write {EVERYWHERE}:PORT")
    return host, int(match["port"])


def _is_everywhere(host: str) -> bool:
    try:
        return socket.inet_aton(host) == bytes(4)
    except OSError:
        return False


class Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: a thread may not, and `aggregator serve` ends with status 0."""
        yield


def make_server(application: ASGIApp) -> Server:
    """Return a server for an ASGI application; it is started by `run` with sockets."""
    return Server(
        uvicorn.Config(
            application,
            http=http_protocol.DeadlineProtocol,
            h11_max_incomplete_event_size=http_protocol.MAX_REQUEST,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=http_protocol.MAX_CONNECTIONS,
            timeout_keep_alive=http_protocol.IDLE_SECONDS,
            timeout_graceful_shutdown=2,
        )
    )


def run(settings: Settings, address: str, ready: Callable[[str], None]) -> None:
    """Serve the folder of feeds, and searches, at ADDRESS:PORT until SIGTERM or SIGINT.

    `ready` is called with the URL of the page.  Raises `ConfigError` if the address is
    invalid or in use, or if there is no such folder, but a place in object storage.
    """
    directory = settings.feeds_address
    if isinstance(directory, str):
        raise ConfigError(
            f"{directory}: feeds in object storage are served by the storage, at feeds: url"
        )
    if not directory.is_dir():
        raise ConfigError(f"{directory}: no feeds there yet; run aggregator build-feeds first")
    listener = listen(address, "--listen")
    processes.use_one_process()  # searches have a thread
    server = make_server(Search(settings, FeedFolder(directory)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    ready(url_of(listener))
    server.run(sockets=[listener])


def url_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket."""
    host, port, *_ = listener.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
