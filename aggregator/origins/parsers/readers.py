"""The parsers of strangers' documents, each in a child process with limits.

feedparser, BeautifulSoup and trafilatura can be made to hang, to use up memory or to end
their process: here that costs one document.
"""

from __future__ import annotations

from aggregator.origins.parsers.feed_items import ParsedFeed
from aggregator.origins.parsers.page import ListLink, PageSelectors, PageText
from aggregator.origins.parsers.sandbox import Confined


class Readers:
    """The parsers.  A child is started when it is first needed, and ends with this."""

    def __init__(self) -> None:
        self._feed = Confined("aggregator.origins.parsers.feed:parse_feed", ParsedFeed)
        self._page = Confined("aggregator.origins.parsers.page:extract", PageText)
        self._links = Confined("aggregator.origins.parsers.page:list_links", tuple[ListLink, ...])

    def feed(self, data: bytes, content_type: str, url: str, timezone: str) -> ParsedFeed:
        """Return an upstream feed's entries.  Raises `UnusableError`, as the others do."""
        return self._feed.call(data, content_type, url, timezone)

    def page(self, data: bytes, content_type: str, url: str, selectors: PageSelectors) -> PageText:
        """Return a page's title and text."""
        return self._page.call(data, content_type, url, selectors)

    def links(
        self, data: bytes, content_type: str, url: str, items: str, fields: dict[str, str]
    ) -> tuple[ListLink, ...]:
        """Return the items of a page that lists articles."""
        return self._links.call(data, content_type, url, items, fields)

    def close(self) -> None:
        """End the children."""
        for confined in (self._feed, self._page, self._links):
            confined.close()

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
