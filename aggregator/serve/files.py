"""Published files as responses: each is read once, and kept until the file changes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import stat
from collections import OrderedDict
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from starlette.responses import Response

from aggregator.publish.compression import EXTENSIONS, compressed
from aggregator.publish.http_headers import BY_EXTENSION, cache_control, content_type

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
MAX_FILE = 200_000_000
MAX_KEPT = 128_000_000

# Only what is published: no other path of the file system is ever opened.
_PATH = re.compile(
    r"/(?:(?:archives/)?(?:(?:sources|tags|extra)/)?[a-z0-9-]{1,80}(?:\.\d{1,9})?"
    rf"\.(?:{'|'.join(map(re.escape, BY_EXTENSION))})"
    r"|articles/(?:\d{4}/\d\d/)?[A-Za-z0-9-]{1,80}\.html"
    r"|sitemap(?:-[\d-]{7,10})?\.xml|feeds\.(?:opml|css|js)|feed\.css|icon\.svg)",
    re.ASCII,
)
_FEEDS = frozenset([*(name for name, kind in BY_EXTENSION.items() if not kind.is_page), "opml"])
# A browser shows a feed's own media type as plain text, without its style sheet.
_XML = frozenset(extension for extension, format in BY_EXTENSION.items() if format.is_xml)
_BROWSER_TYPE = "application/xml; charset=utf-8"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' http: https:; media-src http: https:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_FEED_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Representation:
    """The responses for a file in one content coding; `not_modified` has no body."""

    whole: Response
    for_browsers: Response
    not_modified: Response


# Inode, size and mtime in ns: another file at the same path differs in one of them.
_State = tuple[int, int, int]
_Key = tuple[str, str]  # path and coding
_Kept = tuple[_State, Representation]


class PublishedFiles:
    """The files of a folder of feeds; to be used in one event loop."""

    def __init__(self, directory: Path) -> None:
        self._root = str(directory)
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._size = 0
        self._loading: dict[_Key, asyncio.Task[Representation | None]] = {}

    async def find(self, path: str, coding: str) -> Representation | None:
        """Return the file at a request's path in a coding, "" for none; None if it is not there."""
        key = (path, coding)
        if key in self._kept:
            state, representation = self._kept[key]
            try:
                if _state(os.stat(self._root + path)) == state:
                    return representation
            except OSError:
                return None
        if not _PATH.fullmatch(path):
            return None
        # One thread reads it for all who request it at the same time.
        if key not in self._loading:
            self._loading[key] = asyncio.create_task(self._load(path, coding))
            self._loading[key].add_done_callback(lambda _: self._loading.pop(key, None))
        return await asyncio.shield(self._loading[key])

    async def _load(self, path: str, coding: str) -> Representation | None:
        loaded = await asyncio.to_thread(_read, self._root, path, coding)
        if (path, coding) in self._kept:
            self._size -= _size(self._kept.pop((path, coding)))
        if loaded is None:
            return None
        if _size(loaded) <= MAX_KEPT // 4:
            self._kept[path, coding] = loaded
            self._size += _size(loaded)
            while self._size > MAX_KEPT:
                self._size -= _size(self._kept.popitem(last=False)[1])
        return loaded[1]


def _size(kept: _Kept) -> int:
    return len(kept[1].whole.body)


def _state(found: os.stat_result) -> _State:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(root: str, path: str, coding: str) -> _Kept | None:
    """Read a file, and compress it unless the file beside it is as new.

    None if it is no file that can be read.
    """
    try:
        descriptor = os.open(root + path, _OPEN)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE:
                return None
            data = file.read(MAX_FILE)
    except OSError:
        return None
    body = data
    if coding:
        body = _precompressed(root + path, coding, found.st_mtime_ns) or compressed(data, coding)
    caching = cache_control(path.removeprefix("/"), data)
    return _state(found), representation(path, coding, body, int(found.st_mtime), caching)


def _precompressed(path: str, coding: str, since: int) -> bytes | None:
    """Return the compressed file beside a file, None if there is none or it is older."""
    try:
        descriptor = os.open(path + EXTENSIONS[coding], _OPEN)
        with open(descriptor, "rb") as file:
            if os.fstat(descriptor).st_mtime_ns < since:
                return None
            return file.read(MAX_FILE)
    except OSError:
        return None


def representation(
    path: str, coding: str, body: bytes, modified: int, caching: str
) -> Representation:
    """Return a body as the responses to those who request `path`; `modified` is a Unix time."""
    extension = path.rpartition(".")[2]
    headers = {
        "ETag": f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"',
        "Last-Modified": formatdate(modified, usegmt=True),
        "Cache-Control": caching,
        "Vary": "Accept-Encoding, Accept" if extension in _XML else "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _FEED_POLICY if extension in _FEEDS else _PAGE_POLICY,
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
    if extension in _FEEDS:
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = "ETag, Last-Modified"
    not_modified = Response(status_code=304, headers=headers)
    headers |= {"Content-Type": content_type(path), "Accept-Ranges": "bytes"}
    if coding:
        headers["Content-Encoding"] = coding
    whole = for_browsers = Response(body, headers=headers)
    if extension in _XML:
        for_browsers = Response(body, headers={**headers, "Content-Type": _BROWSER_TYPE})
    return Representation(whole, for_browsers, not_modified)
