"""What a format promises: a pure function from a feed document to bytes."""

from __future__ import annotations

from typing import Protocol

from aggregator.model import FeedDocument


class Format(Protocol):
    """A publisher.  The same document always gives the same bytes."""

    def __call__(self, document: FeedDocument) -> bytes:
        """The document in this format."""
        ...
