"""Connections of `sockets` for urllib3's pools, and the adapter of requests over these."""

from __future__ import annotations

import http.client
import socket
import ssl
from ipaddress import ip_address
from typing import Any
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
from aggregator.fetch.sockets import RefusedAddressError, TlsSocket, connect

MAX_POOLS = 256


class _Response(http.client.HTTPResponse):
    def _read_status(self) -> tuple[str, int, str]:
        """Take every interim response for a 100, which is skipped (RFC 9110 §15.2)."""
        version, status, reason = super()._read_status()  # type: ignore[misc]
        is_interim = 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS
        return version, http.client.CONTINUE if is_interim else status, reason


def _check_literal(url: str, networks: tuple[Network, ...]) -> None:
    """Raise `RefusedAddressError` if the host of a URL is an address that is not allowed."""
    host = urlsplit(url).hostname or ""
    try:
        is_refused = not is_allowed(ip_address(host), networks)
    except ValueError:
        is_refused = host.rstrip(".").rpartition(".")[2] == "localhost"
    if is_refused:
        raise RefusedAddressError(f"{host} is not a public address")


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
                return connect(self._dns_host, self.port, networks)

        class Tls(HTTPSConnection):
            response_class = _Response

            def _new_conn(self) -> socket.socket:
                return connect(self._dns_host, self.port, networks)

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
    context.sslsocket_class = TlsSocket
    return context
