"""The body of a response, read and decoded within limits (RFC 9110 §8.4).

Content codings are undone here and not by urllib3, piece by piece, so that a megabyte
that unpacks to a gigabyte costs no more than the limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

_PIECE = 65_536
_ZSTD_WINDOW = 23  # 8 MB, which RFC 9659 demands of senders
_ZSTD_FRAMES = 1000
# What misconfigured servers name as a content coding, and is none.
_NO_CODINGS = frozenset({
    "identity", "none", "utf-8", "utf8", "gb2312", "gbk", "gb18030", "big5", "iso-8859-1",
    "binary", "8bit", "7bit", "text", "text/html", "text/xml", "application/xml", "aws-chunked",
})  # fmt: skip
_GZIP = b"\x1f\x8b\x08"
ACCEPT_ENCODING = "gzip, deflate, br, zstd"


class BodyError(ValueError):
    """A body that is too large, cut off, or in a content coding that is not supported."""


class Readable(Protocol):
    """A source of the bytes of a body as they were sent."""

    def read(self, amount: int, *, decode_content: bool) -> bytes:
        """Return up to `amount` bytes; none at the end."""
        ...


def read(source: Readable, limit: int) -> bytes:
    """Return a whole body as it was sent.  Raises `BodyError` beyond `limit` bytes."""
    pieces: list[bytes] = []
    size = 0
    while piece := source.read(_PIECE, decode_content=False):
        size += len(piece)
        if size > limit:
            raise BodyError(f"larger than {limit:,} bytes")
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def decode(data: bytes, codings: str, limit: int) -> bytes:
    """Return a body without its content coding.

    Some servers name a charset or nothing there, and some send a gzip file and say nothing.
    Raises `BodyError` for more than `limit` bytes, for an unknown coding or several of
    them, and for data that is cut off or damaged.
    """
    names = [name.strip().lower() for name in codings.split(",") if name.strip()]
    names = [name for name in names if name not in _NO_CODINGS]
    if not data:
        return data
    if not names:
        return _gzip(data, limit) if data.startswith(_GZIP) else data
    if len(names) > 1:
        raise BodyError("compressed more than once")
    decoder = _DECODERS.get(names[0])
    if decoder is None:
        raise BodyError(f"compressed as {names[0][:20]!r}, which was not requested")
    return decoder(data, limit)


def _gzip(data: bytes, limit: int) -> bytes:
    found = bytearray()
    while data:
        decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
        found += _inflate(decoder, data, limit - len(found))
        data = decoder.unused_data.lstrip(b"\0")
        if not data.startswith(b"\x1f\x8b"):
            break  # some servers add something after the end
    return bytes(found)


def _deflate(data: bytes, limit: int) -> bytes:
    """Decode zlib's format; some servers leave its frame out."""
    try:
        return _inflate(zlib.decompressobj(), data, limit)
    except _DamagedError:
        return _inflate(zlib.decompressobj(-zlib.MAX_WBITS), data, limit)


class _DamagedError(BodyError):
    pass


def _inflate(decoder: zlib._Decompress, data: bytes, limit: int) -> bytes:
    try:
        found = decoder.decompress(data, limit + 1)
    except zlib.error as error:
        raise _DamagedError("compressed, but damaged") from error
    if len(found) > limit:
        raise BodyError("unpacks to more than the limit")
    if not decoder.eof:
        raise _DamagedError("compressed, but cut off")
    return found


def _brotli(data: bytes, limit: int) -> bytes:
    import brotli

    decoder = brotli.Decompressor()
    found = bytearray()
    try:
        found += decoder.process(data, output_buffer_limit=limit + 1)
        while not decoder.is_finished() and len(found) <= limit:
            more = decoder.process(b"", output_buffer_limit=limit + 1)
            if not more:
                raise BodyError("compressed, but cut off")
            found += more
    except brotli.error as error:
        raise BodyError("compressed, but damaged") from error
    if len(found) > limit:
        raise BodyError("unpacks to more than the limit")
    return bytes(found)


def _zstd(data: bytes, limit: int) -> bytes:
    from aggregator.model.packing import zstd

    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    found = bytearray()
    rest = memoryview(data)
    try:
        for _ in range(_ZSTD_FRAMES):
            size = zstd.get_frame_size(rest)
            decoder = zstd.ZstdDecompressor(options=options)
            found += decoder.decompress(rest[:size], limit + 1 - len(found))
            if len(found) > limit:
                raise BodyError("unpacks to more than the limit")
            rest = rest[size:]
            if not rest:
                return bytes(found)
    except zstd.ZstdError as error:
        raise BodyError("compressed, but damaged") from error
    raise BodyError(f"compressed in more than {_ZSTD_FRAMES:,} frames")


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
