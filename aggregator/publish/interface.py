"""What a format promises."""

from __future__ import annotations

from typing import Protocol

from aggregator.model.feeds import FeedDocument


class Format(Protocol):
    """A module of this package that writes feeds in one format."""

    def render(self, document: FeedDocument) -> bytes:
        """The whole file, in UTF-8.

        The same document always gives the same bytes.  Nothing in it makes this fail:
        characters that the format has no place for are left out.
        """
        ...
