"""The HTTP headers of published files, whoever serves them (RFC 9110, RFC 9111).  Pure."""

from __future__ import annotations

from aggregator.model.formats import FORMATS

BY_EXTENSION = {format.extension.removeprefix("."): format for format in FORMATS.values()}
_TYPES = {
    **{
        extension: f"{format.media_type}; charset=utf-8"
        for extension, format in BY_EXTENSION.items()
    },
    "opml": "text/x-opml; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "xml": "application/xml; charset=utf-8",
}
_SHORT = "public, max-age=60, stale-if-error=86400"
_LONGER = "public, max-age=3600"
_FOREVER = "public, max-age=31536000, immutable"
# What the first bytes of an archive document contain once it has a successor (RFC 5005 §4).
_SEALED, _HEAD = b'rel="next-archive"', 8192


def content_type(path: str) -> str:
    """Return the `Content-Type` of a published file."""
    return _TYPES[path.rpartition(".")[2]]


def cache_control(path: str, data: bytes) -> str:
    """Return the `Cache-Control` of a published file; its path is relative to the feeds folder."""
    if path.startswith("archives/") and _SEALED in data[:_HEAD]:
        return _FOREVER
    return _LONGER if path.endswith((".css", ".js", ".svg")) else _SHORT
