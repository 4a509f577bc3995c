"""Digests that tell whether two things are the same."""

from __future__ import annotations

import hashlib


def digest(data: bytes) -> bytes:
    """Return the digest of the given bytes, 16 bytes long (BLAKE2b)."""
    return hashlib.blake2b(data, digest_size=16).digest()


def digest_of(values: object) -> bytes:
    """The digest of values by their `repr`, which must be the same in every process."""
    return digest(repr(values).encode())
