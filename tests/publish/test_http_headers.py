"""The headers that published files are served with, whoever serves them."""

import pytest

from aggregator.publish.http_headers import cache_control, content_type

SEALED = b'<feed>\n  <link rel="next-archive" href="x"/>'


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("all.atom", "application/atom+xml; charset=utf-8"),
        ("sources/a.rss", "application/rss+xml; charset=utf-8"),
        ("all.json", "application/feed+json; charset=utf-8"),
        ("feeds.opml", "text/x-opml; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("feeds.css", "text/css; charset=utf-8"),
        ("feeds.js", "text/javascript; charset=utf-8"),
    ],
)
def test_types_are_those_of_the_extension(path: str, expected: str) -> None:
    assert content_type(path) == expected


def test_only_a_sealed_archive_is_cached_forever() -> None:
    short = "public, max-age=60, stale-if-error=86400"
    assert cache_control("all.atom", SEALED) == short
    assert cache_control("archives/all.1.atom", b"<feed>") == short
    assert cache_control("archives/all.1.atom", SEALED).endswith("immutable")
    assert cache_control("feeds.css", b"") == "public, max-age=3600"
