"""The report of a validation, and the checks that formats have in common.  Pure."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlsplit

OLDEST = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC)
AHEAD = datetime.timedelta(days=1)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
# Attributes with URLs, of links and of what a text loads.
_ADDRESSES = frozenset({"cite", "href", "poster", "src"})
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Characters that browsers remove from URLs.
_IGNORED = re.compile(r"[\x00-\x20]+")
_SCRIPT_SCHEMES = ("javascript:", "vbscript:", "data:text")
# A tag with its attributes.
_TAG = re.compile(r"""<([a-z][^\s/>]*)((?:[^<>"']++|"[^"]*+"|'[^']*+'|["'])*+)""", re.I)
# An attribute and its value; what looks like one within quotes is none.
_ATTRIBUTE = re.compile(r"""([^\s"'/=]+)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_MARKUP = re.compile(r"<[a-z/!?][^<>\s]{0,20}>?", re.I)
# Elements that run, load or ask for something: none belongs in a feed.
_ACTIVE = {
    "applet", "base", "button", "embed", "form", "frame", "frameset", "iframe", "input", "link",
    "math", "meta", "object", "script", "select", "style", "svg", "template", "textarea",
}  # fmt: skip


@dataclass(slots=True)
class Report:
    """The problems of one file, and its ids and links.

    `problems` are pairs of a line, if it is known, and a reason.  `entries` are pairs of an
    entry's link with its title, and its id; `links` are those of the feed by their relation.
    """

    now: datetime.datetime
    problems: list[tuple[int | None, str]] = field(default_factory=list)
    feed_id: str | None = None
    is_sealed: bool = False
    entries: list[tuple[str, str]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def add(self, line: int | None, reason: str) -> None:
        """Note a problem."""
        self.problems.append((line, reason))

    def check_timestamp(self, line: int | None, name: str, text: str) -> datetime.datetime | None:
        """Check a date of RFC 3339, and return it unless it is malformed."""
        if not _TIMESTAMP.fullmatch(text):
            self.add(line, f"{name}: {text[:60]!r} is not a date of RFC 3339")
            return None
        try:
            moment = datetime.datetime.fromisoformat(text.upper())
        except ValueError:
            self.add(line, f"{name}: {text!r} is not a real date")
            return None
        self.check_moment(line, name, moment)
        return moment

    def check_moment(self, line: int | None, name: str, moment: datetime.datetime) -> None:
        """Check that a date is neither before the web nor in the future."""
        if moment < OLDEST or moment > self.now + AHEAD:
            self.add(line, f"{name}: {moment.isoformat()} is not a plausible date")

    def check_address(self, line: int | None, name: str, url: str) -> None:
        """Check that a URL is an absolute one of http or https."""
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
            self.add(line, f"{name}: {url[:200]!r} is not an absolute URL")

    def check_html(self, line: int | None, name: str, html: str) -> None:
        """Check that HTML runs nothing, and that its URLs are absolute."""
        for tag, attributes in _TAG.findall(html):
            if tag.lower() in _ACTIVE:
                self.add(line, f"{name}: <{tag.lower()}> in the text")
            for attribute, value in _ATTRIBUTE.findall(attributes):
                if attribute.lower().startswith("on"):
                    self.add(line, f"{name}: <{tag.lower()}> in the text has {attribute.lower()}")
                elif attribute.lower() in _ADDRESSES:
                    self._check_link(line, name, value.strip("\"'"))

    def _check_link(self, line: int | None, name: str, url: str) -> None:
        address = _IGNORED.sub("", unescape(url)).lower()
        if address.startswith(_SCRIPT_SCHEMES):
            self.add(line, f"{name}: {address[:200]!r} in the text runs as a script")
        elif not _SCHEME.match(url):
            self.add(line, f"{name}: {url[:200]!r} in the text is not a full address")

    def check_text(self, line: int | None, name: str, text: str) -> None:
        """Check that no reader can mistake plain text for markup."""
        match = _MARKUP.search(text)
        if match is not None:
            self.add(line, f"{name}: {match[0]} would be treated as markup by many readers")

    def check_unique(self, name: str) -> None:
        """Check that no id is used twice."""
        counts = Counter(identifier for _, identifier in self.entries)
        for identifier, count in counts.items():
            if count > 1:
                self.add(None, f"{name} {identifier} occurs {count} times")
