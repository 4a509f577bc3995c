"""Search over HTTP: a page, the same as a feed, and a description for browsers and readers."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aggregator.articles.search_query import Query, parse
from aggregator.config.schema import Settings
from aggregator.model.errors import AggregatorError, PublishError, QueryError
from aggregator.model.logs import LOGGER
from aggregator.publish import atom, search_document, search_page
from aggregator.publish.compression import compressed
from aggregator.publish.publication import Publication
from aggregator.serve.app import ERROR_HEADERS, NOT_ALLOWED, PREFLIGHT, response_for
from aggregator.serve.files import Representation, representation
from aggregator.serve.http_conditions import accepted_codings
from aggregator.serve.rate_limit import RateLimit, client_of

PAGE, FEED = f"/{search_document.PAGE}", f"/{search_document.FEED}"
DESCRIPTION = f"/{search_document.DESCRIPTION}"
_PATHS = frozenset([PAGE, FEED, DESCRIPTION])
# For how long what was found is served again, in seconds, and how many queries are kept.
FRESH, MAX_KEPT = 60.0, 64
# Queries that wait for the one that is answered.
MAX_WAITING = 20
_UNAVAILABLE = "the articles cannot be searched just now"
_CACHING = f"public, max-age={FRESH:.0f}"


class _Key(NamedTuple):
    """A response: `text` is the query as the page shows it, or as the feed has it."""

    path: str
    text: str
    coding: str


class _Kept(NamedTuple):
    until: float
    found: Representation


class Search:
    """Answers queries in a thread of its own, and everything else by another application.

    One query is answered at a time; what was found lately, and what others wait for already, is
    not looked for again.  A client that asks too often must wait (RFC 6585 §4).
    """

    def __init__(
        self, settings: Settings, others: ASGIApp, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._others, self._clock = settings, others, clock
        self._limit = RateLimit(clock)
        self._one_at_a_time = asyncio.Lock()
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._under_way: dict[_Key, asyncio.Task[Representation]] = {}
        self._description = Response(
            search_document.description(Publication.of(settings)),
            headers={
                "Content-Type": "application/opensearchdescription+xml",
                "Cache-Control": "public, max-age=86400",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request; for HEAD the server leaves the body out."""
        if scope["type"] != "http" or scope["path"] not in _PATHS:
            await self._others(scope, receive, send)
            return
        response = await self._response(scope)
        await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS":
            return PREFLIGHT
        if scope["method"] not in ("GET", "HEAD"):
            return NOT_ALLOWED
        if scope["path"] == DESCRIPTION:
            return self._description
        written = _written(scope)
        try:
            query = parse(written)
        except QueryError as error:
            return self._without_query(scope["path"], written, str(error))
        codings = accepted_codings(headers.get("accept-encoding", ""))
        text = query.text if scope["path"] == FEED else written
        key = _Key(scope["path"], text, codings[0] if codings else "")
        found = self._kept.get(key)
        if found is None or found.until < self._clock():
            if wait := self._limit.wait(_client(scope, headers)):
                return _refusal(429, "too many searches; wait a little", wait)
            if key not in self._under_way and len(self._under_way) > MAX_WAITING:
                return _refusal(503, "too many searches by others; try again", 5)
            try:
                found = _Kept(0, await self._found(key, query))
            except AggregatorError as error:
                # What it says is about files of this machine.
                LOGGER.error("search: %s", error)
                return _refusal(503, _UNAVAILABLE, 60)
        return response_for(found.found, headers)

    def _without_query(self, path: str, written: str, problem: str) -> Response:
        """Return the form alone, or a refusal."""
        if path == FEED:
            return _refusal(400, problem)
        asks = bool(written.strip())
        try:
            page = search_page.render(
                Publication.of(self._settings).frame, written, is_refused=asks
            )
        except PublishError as error:  # of the owner's template
            LOGGER.error("search: %s", error)
            return _refusal(503, _UNAVAILABLE, 60)
        status, caching = (400, "no-store") if asks else (200, _CACHING)
        form = representation(f"{PAGE}.html", "", page, _now(), caching).whole
        form.status_code = status
        return form

    async def _found(self, key: _Key, query: Query) -> Representation:
        """Return what a query finds, which all who ask for it at the same time wait for."""
        if key not in self._under_way:
            self._under_way[key] = asyncio.create_task(self._look_for(key, query))
            self._under_way[key].add_done_callback(lambda done: self._keep(key, done))
        return await asyncio.shield(self._under_way[key])

    async def _look_for(self, key: _Key, query: Query) -> Representation:
        async with self._one_at_a_time:
            return await _in_thread(lambda: _representation(self._settings, key, query))

    def _keep(self, key: _Key, done: asyncio.Task[Representation]) -> None:
        del self._under_way[key]
        self._kept.pop(key, None)
        if not done.cancelled() and done.exception() is None:
            self._kept[key] = _Kept(self._clock() + FRESH, done.result())
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)


async def _in_thread(work: Callable[[], Representation]) -> Representation:
    """Return what `work` returns; the end of the program does not wait for it."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Representation] = loop.create_future()

    def settle(found: Representation | None, error: BaseException | None) -> None:
        if error is not None:
            result.set_exception(error)
        elif found is not None:
            result.set_result(found)

    def run() -> None:
        found, error = None, None
        try:
            found = work()
        # It is raised where the result is awaited.
        except BaseException as failure:  # noqa: BLE001
            error = failure
        with contextlib.suppress(RuntimeError):  # the server has ended
            loop.call_soon_threadsafe(settle, found, error)

    threading.Thread(target=run, name="search", daemon=True).start()
    return await result


def _representation(settings: Settings, key: _Key, query: Query) -> Representation:
    """Look for articles, and write what was found.  Raises `AggregatorError`."""
    # It loads the store, which many servers never need.
    from aggregator.serve.search_results import results

    document = results(settings, query)
    if key.path == FEED:
        path, body = FEED, atom.render(document)
    else:
        path = f"{PAGE}.html"
        body = search_page.render(
            document.frame, key.text, query, document, most=settings.feeds.entries
        )
    if key.coding:
        body = compressed(body, key.coding)
    # Not the newest entry's time: one that comes late is older, and changes the feed as well.
    return representation(path, key.coding, body, _now(), _CACHING)


def _now() -> int:
    """Return a time for Last-Modified, which is not after Date: that may be a second old."""
    return int(time.time()) - 1


def _written(scope: Scope) -> str:
    """Return the query as it was written, "" for none."""
    try:
        values = parse_qs(scope["query_string"].decode("ascii", "replace"), max_num_fields=10)
    except ValueError:
        return ""
    return str(values["q"][0]) if "q" in values else ""


def _client(scope: Scope, headers: Headers) -> str:
    peer = scope["client"][0] if scope.get("client") else ""
    return client_of(peer, headers.get("x-forwarded-for", ""))


def _refusal(status: int, reason: str, wait: int = 0) -> Response:
    headers = {**ERROR_HEADERS, **({"Retry-After": str(wait)} if wait else {})}
    return PlainTextResponse(f"{reason}\n", status, headers=headers)
