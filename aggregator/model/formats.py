"""The formats that feeds are written in: the one list, which everything else reads.

A new format is a module in `publish/`, a line here, and docs/feeds.md; and a reader in
publish/read_back.py, if dates are to be known from it after the store was lost.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """How a feed is written.

    `module` has `render(document) -> bytes` (publish/interface.py), and `check` names the
    function, MODULE:NAME, that says what is wrong with such a file; both are imported when
    they are needed.  Of one that `is_xml`, browsers show the XML.
    """

    label: str
    ending: str
    media_type: str
    module: str
    check: str
    is_xml: bool = False


FORMATS = {
    "atom": Format(
        "Atom",
        ".atom",
        "application/atom+xml",
        "aggregator.publish.atom",
        "aggregator.publish.validate.xml:check_atom",
        is_xml=True,
    ),
    "rss": Format(
        "RSS",
        ".rss",
        "application/rss+xml",
        "aggregator.publish.rss",
        "aggregator.publish.validate.xml:check_rss",
        is_xml=True,
    ),
    "json": Format(
        "JSON",
        ".json",
        "application/feed+json",
        "aggregator.publish.jsonfeed",
        "aggregator.publish.validate.json_feed:check_json_feed",
    ),
}
