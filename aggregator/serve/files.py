"""Published files as they are sent: read once, kept while they are as they were."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import stat
from collections import OrderedDict
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import NamedTuple

from aggregator.model.formats import FORMATS
from aggregator.publish.compression import ENDINGS, compressed

Headers = list[tuple[bytes, bytes]]
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
MAX_FILE = 200_000_000
MAX_KEPT = 128_000_000

_FORMATS = {format.ending.removeprefix("."): format for format in FORMATS.values()}
# All that is published, and nothing else: what a path can't be, need not be refused.
_PATH = re.compile(
    r"/(?:(?:archives/)?(?:(?:sources|tags|extra)/)?[a-z0-9-]{1,80}(?:\.\d{1,9})?"
    rf"\.(?:{'|'.join(map(re.escape, _FORMATS))})|index\.html|feeds\.(?:opml|css|js)|feed\.css)",
    re.ASCII,
)
_TYPES = {
    **{ending: f"{format.media_type}; charset=utf-8" for ending, format in _FORMATS.items()},
    "opml": "text/x-opml; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
}
_FEEDS = frozenset([*_FORMATS, "opml"])
# Browsers show what calls itself a feed as plain text, and use no style sheet.
_XML = frozenset(ending for ending, format in _FORMATS.items() if format.is_xml)
_SHOWN = "application/xml; charset=utf-8"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' http: https:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FEED_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
_SHORT = "public, max-age=60, stale-if-error=86400"
_LONGER = "public, max-age=3600"
_FOR_EVER = "public, max-age=31536000, immutable"
# Stands in the head of an archive document that has a successor (RFC 5005 §4).
_SEALED, _HEAD = b'rel="next-archive"', 8192


class State(NamedTuple):
    """What tells a file from the one that was there before."""

    inode: int
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Representation:
    """A file in one content coding, with all headers but those of a single answer."""

    body: bytes
    etag: bytes
    headers: Headers
    headers_for_browsers: Headers
    headers_unchanged: Headers


@dataclass(slots=True)
class Published:
    """A file as it was read: its representations by coding, "" for the file itself."""

    path: str
    state: State
    modified: int
    representations: dict[str, Representation] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many bytes it keeps."""
        return sum(len(item.body) for item in self.representations.values())


class PublishedFiles:
    """The files of a folder of feeds; to be used in one event loop."""

    def __init__(self, directory: Path) -> None:
        self._root = str(directory)
        self._kept: OrderedDict[str, Published] = OrderedDict()
        self._size = 0
        self._loading: dict[tuple[str, str], asyncio.Task[Published | None]] = {}

    async def find(self, path: str, coding: str) -> Published | None:
        """The file at a request's path, with its representation in `coding`; None if none is."""
        known = self._kept.get(path)
        if known is not None and coding in known.representations:
            try:
                found = os.stat(self._root + path)
            except OSError:
                return None
            if (found.st_ino, found.st_size, found.st_mtime_ns) == known.state:
                return known
        if not _PATH.fullmatch(path):
            return None
        return await self._loaded(path, coding)

    async def _loaded(self, path: str, coding: str) -> Published | None:
        """Read a file in a thread; those who ask meanwhile wait for the same."""
        key = (path, coding)
        task = self._loading.get(key)
        if task is None:
            task = asyncio.create_task(self._load(path, coding))
            self._loading[key] = task
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        return await asyncio.shield(task)

    async def _load(self, path: str, coding: str) -> Published | None:
        loaded = await asyncio.to_thread(_read, self._root, path, coding)
        if loaded is None:
            return None
        old = self._kept.pop(path, None)
        if old is not None:
            self._size -= old.size
            if old.state == loaded.state:
                loaded.representations = {**old.representations, **loaded.representations}
        if loaded.size <= MAX_KEPT // 4:
            self._kept[path] = loaded
            self._size += loaded.size
            while self._size > MAX_KEPT:
                _, oldest = self._kept.popitem(last=False)
                self._size -= oldest.size
        return loaded


def _read(root: str, path: str, coding: str) -> Published | None:
    """A file and its representation in a coding: from the file beside it, or made here."""
    try:
        descriptor = os.open(root + path, _OPEN)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE:
                return None
            data = file.read(MAX_FILE)
    except OSError:
        return None
    state = State(found.st_ino, found.st_size, found.st_mtime_ns)
    modified = int(found.st_mtime)
    body = data if not coding else _beside(root + path, coding, found.st_mtime_ns)
    if body is None:
        body = compressed(data, coding)
    is_sealed = _SEALED in data[:_HEAD]
    representation = _representation(path, coding, body, modified, is_sealed=is_sealed)
    return Published(path, state, modified, {coding: representation})


def _beside(path: str, coding: str, since: int) -> bytes | None:
    """The packed file beside a file, None if there is none or it is older."""
    try:
        descriptor = os.open(path + ENDINGS[coding], _OPEN)
        with open(descriptor, "rb") as file:
            if os.fstat(descriptor).st_mtime_ns < since:
                return None
            return file.read(MAX_FILE)
    except OSError:
        return None


def _representation(
    path: str, coding: str, body: bytes, modified: int, *, is_sealed: bool
) -> Representation:
    ending = path.rpartition(".")[2]
    etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    if path.startswith("/archives/") and is_sealed:
        caching = _FOR_EVER
    else:
        caching = _LONGER if ending in ("css", "js") else _SHORT
    headers = {
        "ETag": etag,
        "Last-Modified": formatdate(modified, usegmt=True),
        "Cache-Control": caching,
        "Vary": "Accept-Encoding, Accept" if ending in _XML else "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _FEED_POLICY if ending in _FEEDS else _PAGE_POLICY,
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }
    if ending in _FEEDS:
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = "ETag, Last-Modified"
    unchanged = _encoded(headers)
    headers |= {"Content-Type": _TYPES[ending], "Accept-Ranges": "bytes"}
    if coding:
        headers["Content-Encoding"] = coding
    shown = {**headers, "Content-Type": _SHOWN} if ending in _XML else headers
    return Representation(body, etag.encode(), _encoded(headers), _encoded(shown), unchanged)


def _encoded(headers: dict[str, str]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
