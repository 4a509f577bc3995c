"""Content codings of files, for servers that send them as they are (RFC 9110 §8.4.1).  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

EXTENSIONS: Mapping[str, str] = {"br": ".br", "gzip": ".gz"}
# Higher levels take minutes instead of seconds, and save a few per cent.
_GZIP_LEVEL, _BROTLI_QUALITY = 6, 5


def compressed(data: bytes, coding: str) -> bytes:
    """Return the bytes in a coding: the same for the same bytes."""
    if coding == "gzip":
        import gzip

        return gzip.compress(data, _GZIP_LEVEL, mtime=0)
    import brotli

    return bytes(brotli.compress(data, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY))


def with_codings(paths: Iterable[str], codings: Collection[str]) -> list[str]:
    """Return the paths of files, each with its paths in these codings."""
    extensions = ("", *(EXTENSIONS[coding] for coding in codings))
    return [path + extension for path in paths for extension in extensions]
