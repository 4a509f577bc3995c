"""Sockets that are connected to checked addresses, and end at a deadline.

A name is resolved once, all its addresses are checked, and the connection goes to one of
these: no second lookup could return another one.  Every read sets the socket's timeout to
what is left of the whole exchange, so that a slow drip ends there.
"""

from __future__ import annotations

import contextlib
import errno
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

from aggregator.fetch.addresses import Network, is_allowed

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


def remaining() -> float:
    """Return the seconds that are left of this thread's exchange.  Raises `OutOfTimeError`."""
    left: float = _exchange.until - time.monotonic()
    if left <= 0:
        raise OutOfTimeError
    return left


class _Socket(socket.socket):
    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(remaining())
        return super().recv_into(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self.settimeout(remaining())
        super().sendall(*arguments)


class TlsSocket(ssl.SSLSocket):
    """A TLS connection that ends at the deadline of its thread's exchange."""

    def recv_into(self, *arguments: Any, **options: Any) -> int:
        """Receive before the deadline."""
        self.settimeout(remaining())
        return super().recv_into(*arguments, **options)

    def sendall(self, *arguments: Any) -> None:
        """Send all before the deadline."""
        self.settimeout(remaining())
        super().sendall(*arguments)


def connect(host: str, port: int, networks: tuple[Network, ...]) -> socket.socket:
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
                try:
                    connection = losers.enter_context(_started(*waiting.popleft()))
                except OSError as error:
                    failure = error
                    continue
                selector.register(connection, selectors.EVENT_WRITE)
            left = remaining()
            for key, _ in selector.select(min(left, NEXT_ADDRESS_AFTER) if waiting else left):
                connection = cast("_Socket", key.fileobj)
                selector.unregister(connection)
                code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not code:
                    return _detached(connection)
                failure = OSError(code, os.strerror(code))
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
    """Return a socket that is being connected; once it can be written, its error says the end.

    Raises `OSError` for an address that is refused at once: there is no way to it, or the
    system does not know its family.
    """
    connection = _Socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = connection.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, os.strerror(code))
    except BaseException:
        connection.close()
        raise
    return connection


def _detached(connection: _Socket) -> _Socket:
    """Return the connection as a socket of its own, which outlives the given one."""
    kept = _Socket(connection.family, connection.type, fileno=connection.detach())
    kept.settimeout(remaining())
    return kept


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
        found = answers.get(timeout=remaining())
    except queue.Empty as error:
        raise OutOfTimeError from error
    if isinstance(found, OSError):
        raise found
    return found
