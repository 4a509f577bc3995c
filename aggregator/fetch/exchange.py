"""One request up to its response: redirects by hand, limits on everything (RFC 9110)."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from aggregator.config.schema import Fetch
from aggregator.fetch import bodies
from aggregator.fetch.addresses import check_url
from aggregator.fetch.connections import Adapter
from aggregator.fetch.reasons import as_fetch_error, causes_of
from aggregator.fetch.sockets import connections_made, deadline
from aggregator.model.errors import FetchError
from aggregator.model.polls import Request, Response, Validators

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
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
        self._size = min(limits.concurrency, limits.per_host.concurrency)
        self._adapters: dict[str | None, Adapter] = {}
        self._lock = threading.Lock()
        self._adapter(None)  # not at the expense of the first request

    def close(self) -> None:
        """Close all connections."""
        for adapter in self._adapters.values():
            adapter.close()

    def _adapter(self, proxy: str | None) -> Adapter:
        with self._lock:
            adapter = self._adapters.get(proxy)
            if adapter is None:
                adapter = Adapter(self._limits.private_networks, self._size, proxy)
                self._adapters[proxy] = adapter
            return adapter

    def get(self, request: Request) -> Response:
        """Return the response to a request, at the end of its redirects.

        Raises `FetchError` if there is none.
        """
        url = check_url(request.url)
        adapter = self._adapter(request.client.proxy)
        conditions = _conditions(request.validators)
        # The validators belong to the URL whose response gave them, and to no other.
        validated = request.validators.url or url
        permanent_until: str | None = None
        all_permanent = True
        seen = {url}
        proxy = request.client.proxy
        with as_fetch_error(request.url, self._timeout, proxy), deadline(self._timeout):
            for _ in range(MAX_REDIRECTS + 1):
                headers = self._headers(request.accept, request.client.user_agent)
                if _is_same_host(url, request.client.url):
                    headers.update(request.client.headers)
                if url == validated:
                    headers.update(conditions)
                raw = _send(adapter, "GET", url, headers)
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
        with as_fetch_error(url, self._timeout), deadline(self._timeout):
            raw = _send(self._adapter(None), "POST", target, headers, urlencode(form).encode())
            return self._response(raw, target, Request(url))

    def _headers(self, accept: str, user_agent: str | None = None) -> dict[str, str]:
        return {
            "User-Agent": user_agent or self._user_agent,
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
        elif raw.status == 206:
            raw.close()
            raise bodies.BodyError(
                "the server sent a partial response (206) that was not requested"
            )
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


def _send(
    adapter: Adapter, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> urllib3.HTTPResponse:
    prepared = requests.PreparedRequest()
    prepared.method = method
    prepared.url = url
    prepared.headers = CaseInsensitiveDict(headers)
    prepared.body = body
    if body is not None:
        prepared.headers["Content-Length"] = str(len(body))
    before = connections_made()
    try:
        raw: Any = adapter.send(prepared, stream=True, timeout=None).raw
    except requests.ConnectionError as error:
        # Only on a connection that was kept may the server not have seen the request.
        if connections_made() > before or body is not None or not _is_stale(error):
            raise
        raw = adapter.send(prepared, stream=True, timeout=None).raw
    size = sum(len(name) + len(value) for name, value in raw.headers.items())
    if size > _MAX_HEADERS:
        raw.close()
        raise bodies.BodyError(f"headers of more than {_MAX_HEADERS:,} bytes")
    found: urllib3.HTTPResponse = raw
    return found


def _is_same_host(url: str, owner: str) -> bool:
    """Return whether a URL is where the headers of the `owner` of a request belong."""
    one, other = urlsplit(url), urlsplit(owner)
    return one.netloc == other.netloc and not (one.scheme == "http" and other.scheme == "https")


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
        for cause in causes_of(error)
    )
