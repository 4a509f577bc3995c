"""Files once more in a content coding, for servers that send them so (RFC 9110 §8.4.1).  Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

ENDINGS: Mapping[str, str] = {"br": ".br", "gzip": ".gz"}
# Past these, seconds turn into minutes for a few per cent.
_GZIP_LEVEL, _BROTLI_QUALITY = 6, 5


def compressed(data: bytes, coding: str) -> bytes:
    """The bytes in a coding; the same bytes always give the same."""
    if coding == "gzip":
        import gzip

        return gzip.compress(data, _GZIP_LEVEL, mtime=0)
    import brotli

    return bytes(brotli.compress(data, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY))


def with_packed(paths: Iterable[str], codings: Collection[str]) -> list[str]:
    """Files, each with what it is called in these codings."""
    endings = ("", *(ENDINGS[coding] for coding in codings))
    return [path + ending for path in paths for ending in endings]
