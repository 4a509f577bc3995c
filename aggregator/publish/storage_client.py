"""A client of an object storage, and what its errors mean."""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from aggregator.model.errors import PublishError, masked
from aggregator.publish.publication import is_place

Result = TypeVar("Result")

MAX_OBJECTS, LIST_PAGE = 1_000_000, 1000
CONNECT_SECONDS = 5.0
# For a request and its repetitions: after an error of the server, or of a connection.
MAX_RETRIES, RETRY_SECONDS = 4, 20.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# If the user writes http:// in one of these, plain HTTP is allowed.
_ENDPOINTS = (
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AZURE_ENDPOINT",
    "AZURE_STORAGE_ENDPOINT",
    "GOOGLE_BASE_URL",
)
_ENDPOINT = re.compile(r"https?://[\w.:\[\]-]+(/[^\s?#]*)?")
_SWITCHES = ("AWS_ALLOW_HTTP", "AZURE_STORAGE_USE_EMULATOR")
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
_STATUS = re.compile(r"status code: (\d{3})[^:]*(?::.*?<Code>(\w+)</Code>)?", re.DOTALL)
_SERVER = re.compile(r"https?://[^/?\s]+")
# Where clients on a machine of the provider get their keys.
_METADATA = ("169.254.169.254", "169.254.170.2", "metadata.google.internal")
_FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"})
_MAX_REASON = 200
_READ_PIECE = 1_000_000


class ListedObject(NamedTuple):
    """An object as it was listed or written; its ETag is without quotes, as Azure lists it."""

    size: int
    etag: str


class BrokenConditionError(PublishError):
    """An object is not, or not any more, the one that was to be replaced."""


class StorageClient:
    """The objects below a URL such as s3://bucket/prefix; paths are relative to it.

    Its methods raise `PublishError`, which names the object.
    """

    def __init__(self, url: str, request_seconds: float) -> None:
        self._url = url
        try:
            import obstore
            from obstore.exceptions import BaseError
        except ModuleNotFoundError as error:
            raise PublishError(
                f"{url}: object storage needs obstore: run "
                "pip install 'jekyll-feed-aggregator[cluster]', or sh bootstrap.sh cluster"
            ) from error
        self._obstore = obstore
        try:
            self._store = _connected(url, request_seconds)
        except (BaseError, OSError, ValueError) as error:
            keys = _KEYS[url.partition(":")[0]]
            raise PublishError(
                f"{url}: cannot be used: {_line(error)}; see the environment ({keys})"
            ) from error

    def list(self, seconds: float) -> dict[str, ListedObject]:
        """Return the objects in the folders of published files, in up to `seconds`."""
        return in_a_thread(self._list, seconds)

    def _list(self, seconds: float) -> dict[str, ListedObject]:
        listed: dict[str, ListedObject] = {}
        count, deadline = 0, time.monotonic() + seconds
        with self._errors("", "cannot be listed"):
            for page in self._obstore.list(self._store, chunk_size=LIST_PAGE):
                for item in page:
                    if is_place(item["path"].rpartition("/")[0]):
                        listed[item["path"]] = ListedObject(item["size"], plain(item["e_tag"]))
                count += len(page)
                if count > MAX_OBJECTS or time.monotonic() > deadline:
                    raise PublishError(
                        f"{self._url}: holds too many objects to list ({count:,} were listed): "
                        "give the feeds a prefix of their own"
                    )
        return listed

    def get(self, path: str, limit: int) -> tuple[bytes, Mapping[str, str], str] | None:
        """Return an object's first bytes, its attributes and its ETag; None if there is none."""
        with self._errors(path, "cannot be read"):
            try:
                response = self._obstore.get(self._store, path)
            except FileNotFoundError:
                return None
            data = bytearray()
            for piece in response.stream(min_chunk_size=_READ_PIECE):
                data += piece
                if len(data) >= limit:
                    break
            return bytes(data[:limit]), response.attributes, plain(response.meta["e_tag"])

    def version(self, path: str) -> tuple[str, dict[str, str]] | None:
        """Return an object's ETag, and all by which it can be named in a condition."""
        with self._errors(path, "cannot be read"):
            try:
                found = self._obstore.head(self._store, path)
            except FileNotFoundError:
                return None
        named = {"e_tag": found["e_tag"], "version": found["version"]}
        return plain(found["e_tag"]), {name: value for name, value in named.items() if value}

    def put(
        self, path: str, body: bytes, attributes: Mapping[str, str], replaced: dict[str, str] | None
    ) -> str:
        """Upload an object in place of one, or of none; return its ETag.

        Raises `BrokenConditionError` if the object has changed, or exists already.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._errors(path, "cannot be written", "; what was published before was kept"):
            try:
                done = self._obstore.put(
                    self._store,
                    path,
                    body,
                    attributes=dict(attributes),
                    mode="create" if replaced is None else replaced,  # type: ignore[arg-type]
                    # A condition needs one request.
                    use_multipart=False,
                )
            except (AlreadyExistsError, PreconditionError) as error:
                raise BrokenConditionError(
                    f"{self._url}/{path}: has changed since it was listed"
                ) from error
        if not done["e_tag"]:
            raise PublishError(
                f"{self._url}/{path}: the storage names no ETag, without which no object can be "
                "replaced safely: publish into a folder, or into another storage"
            )
        return plain(done["e_tag"])

    def delete(self, path: str) -> None:
        """Remove an object."""
        with self._errors(path, "is no longer published, but cannot be removed"):
            self._obstore.delete(self._store, path)

    @contextlib.contextmanager
    def _errors(self, path: str, what: str, then: str = "") -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            place = f"{self._url}/{path}" if path else self._url
            raise PublishError(f"{place}: {what}: {reason_of(error)}{then}") from error


def in_a_thread(work: Callable[..., Result], *arguments: Any) -> Result:
    """Return what `work` returns, from a thread that ends with it.

    While a library sends a request in the main thread, Python handles no signal.
    """
    if threading.current_thread() is not threading.main_thread():
        return work(*arguments)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, *arguments).result()


def plain(etag: str | None) -> str:
    """Return an ETag without its quotes."""
    return (etag or "").removeprefix("W/").strip('"')


def _connected(url: str, request_seconds: float) -> Any:
    """Return a client of obstore; it does not connect yet."""
    from obstore.store import from_url

    for name in _ENDPOINTS:
        endpoint = os.environ.get(name)
        # The library ends the process for some that are none.
        if endpoint and not _ENDPOINT.fullmatch(endpoint):
            raise ValueError(f"{name} is no URL of a server: {masked(endpoint)}")
    is_plain = any(os.environ.get(name, "").startswith("http://") for name in _ENDPOINTS)
    is_allowed = any(os.environ.get(name, "").lower() in ("true", "1") for name in _SWITCHES)
    return from_url(
        url,
        client_options={
            "allow_http": is_plain or is_allowed,
            "connect_timeout": datetime.timedelta(seconds=CONNECT_SECONDS),
            "timeout": datetime.timedelta(seconds=request_seconds),
        },
        retry_config={
            "max_retries": MAX_RETRIES,
            "retry_timeout": datetime.timedelta(seconds=RETRY_SECONDS),
            "backoff": {
                "init_backoff": datetime.timedelta(seconds=FIRST_PAUSE),
                "max_backoff": datetime.timedelta(seconds=LONGEST_PAUSE),
                "base": 2,
            },
        },
    )


def reason_of(error: BaseException) -> str:
    """Return what an error of obstore means and what to do, without keys or signatures."""
    text = str(error)
    server = _SERVER.search(text)
    name = server[0] if server else "the server"
    if any(host in text for host in _METADATA):
        return f"there are no access keys: set {_KEYS['s3']} (or {_KEYS['gs']}) in the environment"
    if "incorrectly configured region" in text or "AuthorizationHeaderMalformed" in text:
        return "its region is another one: set AWS_REGION"
    if "BadScheme" in text:
        return f"{name} is not https: set AWS_ALLOW_HTTP=true if that is meant"
    status = _STATUS.search(text)
    if status is not None:
        return _meaning(int(status[1]), status[2] or "", name)
    if "TimedOut" in text or "timed out" in text:
        return f"{name} took too long to answer"
    if "error sending request" in text or "client error (Connect)" in text:
        return f"{name} cannot be reached: check the network and the endpoint"
    return _line(error)


def _meaning(status: int, code: str, server: str) -> str:
    if code in _FULL or status == 507:
        return "the storage is full"
    if status in (401, 403):
        return f"{server} refused access ({code or status}): check the access keys and their rights"
    if status == 404:
        return f"{server} has no such bucket: make it, or correct feeds: directory"
    said = f"{status} {code}".strip()
    return f"{server} answered {said}" + ("; try again later" if status in (429, 503) else "")


def _line(error: BaseException) -> str:
    """Return the first line of an error, without responses and queries, which may hold keys."""
    line = next(iter(str(error).splitlines()), "") or type(error).__name__
    line = re.sub(r"\?\S*", "", line.partition("<")[0])
    return line[:_MAX_REASON].rstrip(": ")
