"""Each kind of document has its parser, in a process with limits."""

import pytest

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.page import PageSelectors
from aggregator.origins.parsers.readers import Readers

FEED = """<rss version="2.0"><channel><title>t</title>
<item><guid>1</guid><title>题 &amp;amp; 目</title><link>https://example.org/1</link>
<pubDate>Thu, 16 Dec 2021 22:00:00 +0800</pubDate><category>股票</category>
<enclosure url="https://example.org/1.mp3" type="audio/mpeg" length="12"/>
<description>{text}</description></item></channel></rss>"""


def test_a_feed_comes_back_whole() -> None:
    with Readers() as readers:
        data = FEED.format(text="正文" * 500_000).encode()
        feed = readers.feed(data, "text/xml", "https://example.org/feed", "UTC")
        with pytest.raises(UnusableError, match="not a feed"):
            readers.feed(b"<p>nothing</p>", "text/html", "https://example.org/", "UTC")
    (item,) = feed.items
    assert (feed.title, item.title, item.categories) == ("t", "题 & 目", ("股票",))
    assert item.published is not None
    assert item.published.isoformat() == "2021-12-16T14:00:00+00:00"
    assert item.html == "正文" * 500_000
    assert item.enclosures[0].length == 12


def test_pages_and_lists_come_back_whole() -> None:
    page = b"<title>t</title><div id=a>x</div><ul><li><a href=/1>one</a></ul>"
    with Readers() as readers:
        text = readers.page(page, "text/html", "https://example.org/", PageSelectors("#a"))
        (link,) = readers.links(page, "text/html", "https://example.org/", "li", {})
    assert (text.title, text.html, text.date) == ("t", "x", None)
    assert (link.url, link.title, link.source) == ("https://example.org/1", "one", None)
