"""Connections to checked addresses that end at a deadline, for urllib3's pools.

A name is resolved once, all its addresses are checked, and the connection goes to one of
these: no second lookup could return another one.  Every read sets the socket's timeout to
what is left of the whole exchange, so that a slow drip ends there.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import selectors
import socket
import ssl
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from operator import itemgetter
from typing import Any, cast
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from requests.models import Response as RequestsResponse
from urllib3 import (
    BaseHTTPResponse,
    HTTPConnectionPool,
    HTTPSConnectionPool,
    PoolManager,
    ProxyManager,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.retry import Retry
from urllib3.util.ssl_ import create_urllib3_context

from aggregator.config.schema import EVERYWHERE
from aggregator.fetch.addresses import Network, is_allowed

MAX_POOLS = 256
MAX_ADDRESSES = 4
NEXT_ADDRESS_AFTER = 0.25
# What `getaddrinfo` returns for each address of a name.
_Found = tuple[socket.AddressFamily, int, int, str, tuple[Any, ...]]
_exchange = threading.local()


class RefusedAddressError(OSError):
    """A name resolves to an address that is not allowed."""


class OutOfTimeError(TimeoutError):
    """The time for the whole exchange is over."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Limit all that this thread sends and reads within to `seconds` from now."""
    _exchange.until = time.monotonic() + seconds
    try:
        yield
    finally:
        del _exchange.until


def connections_made() -> int:
    """Return how many connections this thread has made."""
    return getattr(_exchange, "connections", 0)


def _remaining() -> float:
    left: float = _exchange.until - time.monotonic()
    if left <= 0:
        raise OutOfTimeError
    return left


class _Response(http.client.HTTPResponse):
    def _read_status(self) -> tuple[str, int, str]:
        """Take every interim response for a 100, which is skipped (RFC 9110 §15.2)."""
        version, status, reason = super()._read_status()  # type: ignore[misc]
        is_interim = 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS
        return version, http.client.CONTINUE if is_interim else status, reason


class _Socket(socket.socket):
    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(_remaining())
        return super().recv_into(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(_remaining())
        super().sendall(*arguments)


class _TlsSocket(ssl.SSLSocket):
    def recv_into(self, *arguments: Any, **options: Any) -> int:
        self.settimeout(_remaining())
        return super().recv_into(*arguments, **options)

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(_remaining())
        super().sendall(*arguments)


def _connect(host: str, port: int, networks: tuple[Network, ...]) -> socket.socket:
    """Return a socket connected to one of the host's addresses, all of which are allowed.

    The next address is tried as soon as one fails, or has not answered for a moment; the
    first connection wins (RFC 8305 §5).
    """
    _exchange.connections = connections_made() + 1
    waiting = deque(_allowed(_resolve(host, port), networks)[:MAX_ADDRESSES])
    failure: OSError | None = None
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as losers:
        while waiting or selector.get_map():
            if waiting:
                connection = losers.enter_context(_started(*waiting.popleft()))
                selector.register(connection, selectors.EVENT_WRITE)
            left = _remaining()
            for key, _ in selector.select(min(left, NEXT_ADDRESS_AFTER) if waiting else left):
                connection = cast("_Socket", key.fileobj)
                selector.unregister(connection)
                error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not error:
                    return _detached(connection)
                failure = OSError(error, os.strerror(error))
    raise failure or OSError("the name has no address")


def _allowed(
    found: Sequence[_Found], networks: tuple[Network, ...]
) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    """Return the addresses of a name, both families in turn (RFC 8305 §4).

    Raises `RefusedAddressError` if one of them is not allowed.
    """
    counts = Counter[socket.AddressFamily]()
    ordered = []
    for family, _, _, _, address in found:
        if not is_allowed(ip_address(address[0]), networks):
            raise RefusedAddressError(f"{address[0]} is not a public address")
        ordered.append((counts[family], family, address))
        counts[family] += 1
    return [(family, address) for _, family, address in sorted(ordered, key=itemgetter(0))]


def _started(family: socket.AddressFamily, address: tuple[Any, ...]) -> _Socket:
    """Return a socket that is being connected; its error says how that ended."""
    connection = _Socket(family, socket.SOCK_STREAM)
    connection.setblocking(False)
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect_ex(address)
    return connection


def _detached(connection: _Socket) -> _Socket:
    """Return the connection as a socket of its own, which outlives the given one."""
    kept = _Socket(connection.family, connection.type, fileno=connection.detach())
    kept.settimeout(_remaining())
    return kept


def _check_literal(url: str, networks: tuple[Network, ...]) -> None:
    """Raise `RefusedAddressError` if the host of a URL is an address that is not allowed."""
    host = urlsplit(url).hostname or ""
    try:
        is_refused = not is_allowed(ip_address(host), networks)
    except ValueError:
        is_refused = host.rstrip(".").rpartition(".")[2] == "localhost"
    if is_refused:
        raise RefusedAddressError(f"{host} is not a public address")


def _resolve(host: str, port: int) -> Sequence[_Found]:
    """Call getaddrinfo with a time limit: the call itself can't be interrupted."""
    answers: queue.SimpleQueue[Sequence[_Found] | OSError] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except UnicodeError as error:
            answers.put(OSError(str(error)))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=resolve, daemon=True).start()
    try:
        found = answers.get(timeout=_remaining())
    except queue.Empty as error:
        raise OutOfTimeError from error
    if isinstance(found, OSError):
        raise found
    return found


class Adapter(HTTPAdapter):
    """A requests adapter over such connections, without cookies and retries.

    Through a `proxy`, which its owner has named, connections go to its address, whatever
    that is, and the proxy resolves names; only addresses in URLs can be checked then.
    """

    def __init__(self, networks: tuple[Network, ...], size: int, proxy: str | None = None) -> None:
        self._networks = networks
        self._proxy = proxy
        self._pools: dict[str, HTTPConnectionPool] = {}
        super().__init__(
            pool_connections=MAX_POOLS, pool_maxsize=size, max_retries=Retry(0, read=False)
        )

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: Any
    ) -> None:
        """Make the pools; requests calls this."""
        networks = self._networks if self._proxy is None else EVERYWHERE

        class Plain(HTTPConnection):
            response_class = _Response

            def _new_conn(self) -> socket.socket:
                return _connect(self._dns_host, self.port, networks)

        class Tls(HTTPSConnection):
            response_class = _Response

            def _new_conn(self) -> socket.socket:
                return _connect(self._dns_host, self.port, networks)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        options = {"maxsize": maxsize, "block": block, "ssl_context": _tls_context()}
        if self._proxy is None:
            self.poolmanager = PoolManager(connections, **options)
        else:
            headers = self.proxy_headers(self._proxy)
            self.poolmanager = ProxyManager(
                self._proxy, connections, proxy_headers=headers, **options
            )
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

    def get_connection_with_tls_context(
        self, request: PreparedRequest, *_: Any, **__: Any
    ) -> HTTPConnectionPool:
        """Return the pool of a request's host."""
        url = request.url or ""
        if self._proxy is not None:
            _check_literal(url, self._networks)
        site = url[: url.find("/", 8)]
        pool = self._pools.get(site)
        if pool is None:
            pool = self.poolmanager.connection_from_url(url)
            if len(self._pools) >= MAX_POOLS:
                self._pools.clear()
            self._pools[site] = pool
        return pool

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing: the context verifies all certificates."""

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """Return what stands in the request line: for http through a proxy, the whole URL."""
        if self._proxy is not None:
            proxies = {"http": self._proxy, "https": self._proxy}
            return super().request_url(request, proxies)
        # `check_url` has seen to it that there is a path, and no fragment.
        url = request.url or ""
        return url[url.find("/", 8) :]

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> RequestsResponse:
        """Return a response without cookies and guesses of encodings, which nothing needs."""
        response = RequestsResponse()
        response.status_code = resp.status
        response.raw = resp
        response.url = req.url or ""
        return response


def _tls_context() -> ssl.SSLContext:
    """Return a context that trusts certifi's authorities and those of the system."""
    import certifi

    context = create_urllib3_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = _TlsSocket
    return context
