"""Texts as they are stored and travel between processes: UTF-8, packed by zstd.

At its fastest useful level zstd packs news as small as zlib does, in a quarter of the
time.
"""

from __future__ import annotations

import threading

import zstandard

from aggregator.model.errors import DamagedStoreError

MAX_TEXT = 200_000_000
_LEVEL = 1
# Two threads must not use one compressor at once, and making one takes long.
_local = threading.local()


def pack(text: str) -> bytes:
    """Return a text as it is stored."""
    try:
        compressor = _local.compressor
    except AttributeError:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    packed: bytes = compressor.compress(text.encode("utf-8", "replace"))
    return packed


def unpack(body: bytes) -> str:
    """Return the text of a packed body.  Raises `DamagedStoreError` if it holds none."""
    try:
        try:
            decompressor = _local.decompressor
        except AttributeError:
            decompressor = _local.decompressor = zstandard.ZstdDecompressor()
        return str(decompressor.decompress(body, max_output_size=MAX_TEXT), "utf-8")
    except (zstandard.ZstdError, UnicodeDecodeError, TypeError) as error:
        raise DamagedStoreError(f"a stored text cannot be read: {error}") from error
