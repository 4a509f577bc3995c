"""One request up to its response: redirects by hand, limits on everything (RFC 9110)."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urljoin

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from aggregator.config.schema import Fetch
from aggregator.fetch import bodies
from aggregator.fetch.addresses import check_url
from aggregator.fetch.connections import Adapter, OutOfTimeError, RefusedAddressError, deadline
from aggregator.model.errors import FetchError
from aggregator.model.polls import Request, Response, Validators

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
# Errors that prove that the server responded.
_ANSWERED = (
    bodies.BodyError,
    http.client.IncompleteRead,
    http.client.BadStatusLine,
    http.client.LineTooLong,
    urllib3.exceptions.IncompleteRead,
    urllib3.exceptions.DecodeError,
)
MAX_REDIRECTS = 5
_MAX_VALIDATOR = 1000
_MAX_HEADERS = 256 * 1024
_FIELD_TEXT = re.compile(r"[\t\x20-\x7e\x80-\xff]+")


class Exchanges:
    """Sends requests; safe to use from many threads."""

    def __init__(self, user_agent: str, limits: Fetch) -> None:
        self._limits = limits
        self._timeout = limits.timeout.total_seconds()
        self._user_agent = user_agent
        size = min(limits.concurrency, limits.per_host.concurrency)
        self._adapter = Adapter(limits.private_networks, size)

    def close(self) -> None:
        """Close all connections."""
        self._adapter.close()

    def get(self, request: Request) -> Response:
        """Return the response to a request, at the end of its redirects.

        Raises `FetchError` if there is none.
        """
        url = check_url(request.url)
        headers = self._headers(request.accept)
        conditional = {**headers, **_conditions(request.validators)}
        # The validators belong to the URL whose response gave them, and to no other.
        validated = request.validators.url or url
        permanent_until: str | None = None
        all_permanent = True
        seen = {url}
        with _as_fetch_error(request.url, self._timeout), deadline(self._timeout):
            for _ in range(MAX_REDIRECTS + 1):
                raw = self._send("GET", url, conditional if url == validated else headers)
                target = _target(raw, url)
                if target is None:
                    response = self._response(raw, url, request)
                    if response.status != 304 and not 200 <= response.status < 300:
                        permanent_until = None
                    return replace(response, moved_to=permanent_until)
                raw.close()
                target = self._checked(target, url, request.url)
                if target in seen:
                    raise FetchError(request.url, "its redirects form a loop", was_answered=True)
                seen.add(target)
                all_permanent = all_permanent and raw.status in _PERMANENT
                if all_permanent:
                    permanent_until = target
                url = target
        raise FetchError(request.url, f"more than {MAX_REDIRECTS} redirects", was_answered=True)

    def post(self, url: str, form: Mapping[str, str]) -> Response:
        """Return the response to a form; redirects are not followed."""
        target = check_url(url)
        headers = {
            **self._headers("*/*"),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with _as_fetch_error(url, self._timeout), deadline(self._timeout):
            raw = self._send("POST", target, headers, urlencode(form).encode())
            return self._response(raw, target, Request(url))

    def _headers(self, accept: str) -> dict[str, str]:
        return {
            "User-Agent": self._user_agent,
            "Accept": accept,
            "Accept-Encoding": bodies.ACCEPT_ENCODING,
        }

    def _checked(self, target: str, url: str, requested: str) -> str:
        """Return a redirect's target.  Raises `FetchError` if it must not be followed."""
        try:
            target = check_url(target)
        except FetchError as error:
            raise FetchError(
                requested, f"redirects to a URL that is {error.reason}", was_answered=True
            ) from error
        is_downgrade = url.startswith("https:") and target.startswith("http:")
        if is_downgrade and not self._limits.allow_downgrade:
            raise FetchError(requested, "redirects from https to http", was_answered=True)
        return target

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> urllib3.HTTPResponse:
        prepared = requests.PreparedRequest()
        prepared.method = method
        prepared.url = url
        prepared.headers = CaseInsensitiveDict(headers)
        prepared.body = body
        if body is not None:
            prepared.headers["Content-Length"] = str(len(body))
        for is_last in (False, True):
            try:
                raw: Any = self._adapter.send(prepared, stream=True, timeout=None).raw
            except requests.ConnectionError as error:
                # The server may have closed a connection that was kept.
                if is_last or body is not None or not _is_stale(error):
                    raise
            else:
                break
        size = sum(len(name) + len(value) for name, value in raw.headers.items())
        if size > _MAX_HEADERS:
            raw.close()
            raise bodies.BodyError(f"headers of more than {_MAX_HEADERS:,} bytes")
        found: urllib3.HTTPResponse = raw
        return found

    def _response(self, raw: urllib3.HTTPResponse, url: str, request: Request) -> Response:
        headers = {name.lower(): value for name, value in raw.headers.items()}
        validators = _validators(headers, url)
        body = None
        if raw.status == 304:
            validators = replace(
                validators,
                etag=validators.etag or request.validators.etag,
                last_modified=validators.last_modified or request.validators.last_modified,
            )
            raw.release_conn()
        elif 200 <= raw.status < 300:
            try:
                data = bodies.read(raw, self._limits.max_bytes)
            except BaseException:
                raw.close()
                raise
            raw.release_conn()
            body = bodies.decode(data, headers.get("content-encoding", ""), self._limits.max_bytes)
        else:
            raw.close()
        return Response(url, raw.status, headers, body, validators)


def _target(raw: urllib3.HTTPResponse, url: str) -> str | None:
    """Return the target of a redirect, None for any other response."""
    location = raw.headers.get("location")
    if raw.status not in _REDIRECTS or not location:
        return None
    # Some servers send UTF-8 where RFC 9110 has ASCII; http.client reads it as Latin-1.
    with contextlib.suppress(UnicodeError):  # then it stays as it is
        location = location.encode("latin-1").decode("utf-8")
    return urljoin(url, location)


def _validators(headers: Mapping[str, str], url: str) -> Validators:
    def field(name: str) -> str | None:
        value = headers.get(name, "")
        fits = 0 < len(value) <= _MAX_VALIDATOR and _FIELD_TEXT.fullmatch(value)
        return value if fits else None

    return Validators(field("etag"), field("last-modified"), url)


def _conditions(validators: Validators) -> dict[str, str]:
    conditions = {}
    if validators.etag is not None:
        conditions["If-None-Match"] = validators.etag
    if validators.last_modified is not None:
        conditions["If-Modified-Since"] = validators.last_modified
    return conditions


def _is_stale(error: requests.ConnectionError) -> bool:
    return any(
        isinstance(cause, http.client.RemoteDisconnected | ConnectionResetError | BrokenPipeError)
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
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
def _as_fetch_error(url: str, timeout: float) -> Iterator[None]:
    """Turn the errors of the libraries into a `FetchError` with a reason for people."""
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
        causes = list(_causes(error))
        refused = next((one for one in causes if isinstance(one, RefusedAddressError)), None)
        if refused is not None:
            reason, was_sent = f"refused: {refused}", False
        else:
            reason = _reason(causes, timeout)
        was_answered = any(
            isinstance(cause, _ANSWERED) and not isinstance(cause, http.client.RemoteDisconnected)
            for cause in causes
        )
        raise FetchError(url, reason, was_sent=was_sent, was_answered=was_answered) from error


def _reason(causes: list[BaseException], timeout: float) -> str:
    """Return the innermost cause that tells a user something."""
    for cause in causes:
        if isinstance(cause, OutOfTimeError | TimeoutError):
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
    for cause in causes:
        if isinstance(cause, http.client.RemoteDisconnected):
            return "the server hung up without a response"
        if isinstance(cause, ssl.SSLError):
            return f"no TLS connection: {cause.reason or 'broken off'}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror[:1].lower() + cause.strerror[1:]
    innermost = " ".join(str(causes[-1]).split())[:200]
    return f"not HTTP: {innermost or type(causes[-1]).__name__}"
