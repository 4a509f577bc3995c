"""Turn the exceptions of requests, urllib3 and sockets into a `FetchError` that says why."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3

from aggregator.fetch import bodies
from aggregator.fetch.sockets import RefusedAddressError
from aggregator.model.errors import FetchError, without_credentials
from aggregator.model.terminal import printable

# What http.client says of a proxy that refuses one.
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}[^'\n]{0,80})")
# Errors that prove that the server responded.
_ANSWERED = (
    bodies.BodyError,
    http.client.IncompleteRead,
    http.client.BadStatusLine,
    http.client.LineTooLong,
    urllib3.exceptions.IncompleteRead,
    urllib3.exceptions.DecodeError,
)


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all its causes, the arguments of wrappers too."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        pending += current.args


@contextmanager
def as_fetch_error(url: str, timeout: float, proxy: str | None = None) -> Iterator[None]:
    """Turn the errors of the libraries into a `FetchError` with a reason for people.

    With a `proxy`, it says that the connection was to that, and not to the URL's host.
    """
    try:
        yield
    except FetchError:
        raise
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
        ValueError,
    ) as error:
        was_sent = True
        causes = list(causes_of(error))
        refused = next((one for one in causes if isinstance(one, RefusedAddressError)), None)
        if refused is not None:
            reason, was_sent = f"refused: {refused}", False
        else:
            reason = _reason(causes, timeout)
            if proxy is not None:
                reason = f"through the proxy {without_credentials(proxy)}: {reason}"
        was_answered = any(
            isinstance(cause, _ANSWERED) and not isinstance(cause, http.client.RemoteDisconnected)
            for cause in causes
        )
        raise FetchError(url, reason, was_sent=was_sent, was_answered=was_answered) from error


def _reason(causes: list[BaseException], timeout: float) -> str:
    """Return what the first cause that tells a user something says, the outermost first."""
    for cause in causes:
        if isinstance(cause, TimeoutError):
            return f"no complete response within {timeout:g} s"
        if isinstance(cause, bodies.BodyError):
            return str(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        if isinstance(cause, socket.gaierror):
            return "its host name cannot be resolved"
        if isinstance(cause, http.client.IncompleteRead | urllib3.exceptions.IncompleteRead):
            return "the response was cut off"
        if isinstance(cause, urllib3.exceptions.DecodeError):
            return "compressed more than once"
        if isinstance(cause, http.client.LineTooLong):
            return "a header is too long"
        if isinstance(cause, http.client.BadStatusLine) and not isinstance(
            cause, http.client.RemoteDisconnected
        ):
            return 'not HTTP: it begins with "' + printable(str(cause).strip()[:40]) + '"'
    for cause in causes:
        if isinstance(cause, http.client.RemoteDisconnected):
            return "the server hung up without a response"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS connection: {cause.reason or 'broken off'}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror[:1].lower() + cause.strerror[1:]
    tunnel = _TUNNEL.search(" ".join(map(str, causes)))
    if tunnel is not None:
        return f"no tunnel: {tunnel[1]}"
    if isinstance(causes[-1], ValueError):
        # `int` or `read` has refused a chunk's length.
        return "not HTTP: an invalid length"
    innermost = " ".join(printable(str(causes[-1])).split())[:200]
    return f"not HTTP: {innermost or type(causes[-1]).__name__}"
