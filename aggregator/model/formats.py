"""The formats that feeds are written in: the one list, which everything else reads.

A new format is a module in `publish/`, a line here, and docs/feeds.md; and a reader in
publish/read_back.py, if dates are to be read from it after the store was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """How a feed is written.

    `module` has `render(document) -> bytes`: the whole file in UTF-8, the same for the same
    document, without characters that the format does not allow.  `check` names the function,
    MODULE:NAME, that finds what is wrong with such a file.  Both are imported when they are
    needed.  Browsers show one that `is_xml` with a style sheet.  One that `is_page` is for people:
    no reader subscribes to it.  `entry` is what each entry of a file begins with, and nothing
    else can contain; without it the size is not limited.
    """

    label: str
    extension: str
    media_type: str
    module: str
    check: str
    is_xml: bool = False
    is_page: bool = False
    entry: bytes = b""


FORMATS = {
    "atom": Format(
        "Atom",
        ".atom",
        "application/atom+xml",
        "aggregator.publish.atom",
        "aggregator.publish.validate.xml:check_atom",
        is_xml=True,
        entry=b"  <entry>\n",
    ),
    "rss": Format(
        "RSS",
        ".rss",
        "application/rss+xml",
        "aggregator.publish.rss",
        "aggregator.publish.validate.xml:check_rss",
        is_xml=True,
        entry=b"    <item>\n",
    ),
    "json": Format(
        "JSON",
        ".json",
        "application/feed+json",
        "aggregator.publish.json_feed",
        "aggregator.publish.validate.json_feed:check_json_feed",
        entry=b'\n{"id": ',
    ),
    "html": Format(
        "HTML",
        ".html",
        "text/html",
        "aggregator.publish.html",
        "aggregator.publish.validate.html:check_page",
        is_page=True,
    ),
}


def feeds_of(paths: Mapping[str, str]) -> dict[str, str]:
    """Return those of the paths or URLs by format that a reader can subscribe to."""
    return {name: path for name, path in paths.items() if not FORMATS[name].is_page}
