"""The markup of a feed in XML, tag by tag: what would mislead a parser.  Pure.

Feeds need not be well-formed: an end tag closes its element with all that is open in it.
"""

from __future__ import annotations

import functools
import html
import re
from dataclasses import dataclass, field

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.feed_fields import name_without_address
from aggregator.origins.parsers.xml_base import (
    FILE_URL,
    URL_ATTRIBUTE,
    WEB_URL,
    XML_BASE,
    joined_url,
    resolved,
    without_permalink,
)

MAX_DEPTH = 200
MAX_BASE = 2000
# Ends the base of a feed that names none.
NO_BASE = "#none"
TOO_DEEP = f"elements nested deeper than {MAX_DEPTH} levels"
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)|(?P<declaration><!)|"
    r"<(?P<slash>/?)(?P<name>[A-Za-z_][\w:.-]*)"
    r"(?P<attributes>(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)(?:>|\Z)",
    re.DOTALL,
)

_IDS = {"guid", "id"}
_FILES = {"enclosure", "content", "thumbnail"}

# Elements of HTML that have no end.
_VOID = {"br", "hr", "img", "wbr", "input", "area", "col", "embed", "param", "track"}
# Elements of HTML that the next one of their kind ends.
_ENDED_BY_NEXT = {"p", "li", "td", "th", "tr", "dt", "dd", "option"}
_ENTRIES = {"item", "entry"}
_FEEDS = {"rss", "feed", "rdf", "channel"}
_NOTED = {"title", "description", "summary", "content", "encoded"}
_AUTHORS = {"author", "creator"}
_TIMING = {"ttl", "skiphours", "skipdays", "updateperiod", "updatefrequency"}
# Where Media RSS has titles and descriptions that stand in for those of an entry.
_MEDIA = {"group", "content"}


@dataclass(slots=True)
class _Scope:
    """A feed, or an entry: where it starts, and its titles and descriptions.

    Each of these has a rank (0 for the scope's own, 3 for one that is about something
    else), a start and an end.
    """

    name: str
    start: int
    depth: int
    found: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    has_text: bool = False
    is_too_deep: bool = False

    @property
    def prefix(self) -> str:
        """The prefix of its namespace, with which its own elements are named."""
        return self.name.rpartition(":")[0]


class FeedMarkup:
    """A feed's markup.

    After `read`, `entries` counts its entries but those that are `too_deep`; `has_end`: it is
    not cut off; `timing` has the markup of what it says about how often to fetch it.
    """

    def __init__(self, text: str, base: str) -> None:
        """Set the feed's text and its URL."""
        self.entries = 0
        self.too_deep = 0
        self.has_end = False
        self.timing: dict[str, str] = {}
        self._text = text
        self._base = base
        self._has_bases = "xml:base" in text
        self._names: list[str] = []
        self._starts: list[int] = []
        self._bases: list[tuple[int, str]] = []
        self._feed: _Scope | None = None
        self._entry: _Scope | None = None
        self._edits: list[tuple[int, int, str]] = []
        self._last_end = 0
        self._open_at_last_end: tuple[str, ...] = ()

    def read(self) -> str:
        """Return the text without what would mislead a parser, or take it too deep.

        Of a feed that is cut off the whole entries are left.  Raises `UnusableError` if there
        are none, and for a feed that is nested too deeply outside of its entries.
        """
        stop = len(self._text)
        for token in _TOKEN.finditer(self._text):
            name = token["name"]
            if name is not None and not token[0].endswith(">"):
                stop = token.start()  # half a tag
                break
            if name is None:
                if token["declaration"]:
                    self._edits.append((token.start(), token.start() + 1, "&lt;"))
            elif token["slash"]:
                self._end(name, token)
            else:
                self._start(name, token)
        if self._feed is not None:
            self._keep_own(self._feed)
        if self.too_deep and not self.entries:
            raise UnusableError(TOO_DEEP)
        if self.has_end:
            return self._edited(stop)
        if not self._last_end:
            if self._entry is not None and self._entry.is_too_deep:
                raise UnusableError(TOO_DEEP)
            raise UnusableError("not a feed, or cut off before the end of its first entry")
        closing = "".join(f"</{name}>" for name in reversed(self._open_at_last_end))
        return self._edited(self._last_end) + closing

    def _start(self, name: str, token: re.Match[str]) -> None:
        local = name.rpartition(":")[2].lower()
        names, entry = self._names, self._entry
        attributes = token["attributes"]
        is_closed = attributes.endswith("/")
        if local in _VOID and names and not self._is_child(self._entry or self._feed):
            if not is_closed:
                self._edits.append((token.end() - 1, token.end() - 1, " /"))
            is_closed = True
        may_have_urls = attributes or not names or local in _IDS
        if self._has_bases and may_have_urls and len(names) < MAX_DEPTH:
            bases = len(self._bases)
            self._resolve(token)
            self._bases = self._bases[: bases + (not is_closed and self._is_pushed(name, local))]
        if entry is not None and name == entry.name and self._is_child(entry):
            # The end of the entry before is missing.
            self._close_entry(token.start())
            entry = None
        if is_closed:
            return
        if not self._is_pushed(name, local) and len(names) < MAX_DEPTH:
            return
        if len(names) >= MAX_DEPTH:
            if entry is None:
                raise UnusableError(TOO_DEEP)
            entry.is_too_deep = True
            return
        names.append(name)
        self._starts.append(token.start())
        if entry is None and local in _ENTRIES:
            self._entry = _Scope(name, token.start(), len(names))
            self.has_end = False
        elif self._feed is None and local in ("channel", "feed"):
            self._feed = _Scope(name, token.start(), len(names))

    def _is_pushed(self, name: str, local: str) -> bool:
        """Return whether an element that starts here is one more level."""
        names = self._names
        is_next = local in _ENDED_BY_NEXT and bool(names) and names[-1] == name
        return not is_next and len(names) < MAX_DEPTH

    def _is_child(self, scope: _Scope | None) -> bool:
        """Return whether what starts or ended here is a child of the scope's element."""
        names = self._names
        return scope is not None and len(names) == scope.depth and names[-1] == scope.name

    def _end(self, name: str, token: re.Match[str]) -> None:
        names = self._names
        local = name.rpartition(":")[2].lower()
        if name not in names:
            if local in _VOID:
                self._edits.append((token.start(), token.end(), ""))
            return
        entry = self._entry
        while True:
            closed, start = names.pop(), self._starts.pop()
            while self._bases and self._bases[-1][0] > len(names):
                self._bases.pop()
            if entry is not None and len(names) < entry.depth:
                self._close_entry(token.end() if closed == name else token.start())
                entry = None
            elif closed == name:
                self._note(name, local, start, token.end())
            if closed == name:
                break
        if local in _FEEDS and len(names) < 2:
            self.has_end = True

    def _note(self, name: str, local: str, start: int, end: int) -> None:
        """Remember a title or description, and whether there is a text."""
        scope = self._entry or self._feed
        if local in _AUTHORS:
            self._keep_name(start, end)
        if scope is None or local not in _NOTED:
            if local in _TIMING and self._entry is None and self._is_child(scope):
                self.timing[local] = self._inner(start, end)
            return
        prefix = name.rpartition(":")[0]
        parent = self._names[-1].rpartition(":") if self._names else ("", "", "")
        rank = 3
        if self._is_child(scope):
            rank = 0 if prefix == scope.prefix else 1
            if local != "title" and (not rank or local == "encoded"):
                scope.has_text |= self._has_text(start, end)
        elif parent[2].lower() in _MEDIA and parent[0] == prefix != scope.prefix:
            rank = 2
        if local in ("title", "description"):
            scope.found.setdefault(local, []).append((rank, start, end))

    def _keep_name(self, start: int, end: int) -> None:
        """Remove the e-mail address from an author: feedparser finds half of some names."""
        inner = self._inner(start, end)
        name = name_without_address(inner)
        if name is not None:
            first = self._text.index(">", start) + 1
            self._edits.append((first, first + len(inner), html.escape(name, quote=False)))

    def _close_entry(self, end: int) -> None:
        entry = self._entry
        if entry is None:
            return
        self._entry = None
        del self._names[entry.depth - 1 :], self._starts[entry.depth - 1 :]
        self._last_end, self._open_at_last_end = end, tuple(self._names)
        if entry.is_too_deep:
            self.too_deep += 1
            self._edits.append((entry.start, end, ""))
            return
        self.entries += 1
        self._keep_own(entry)

    def _keep_own(self, scope: _Scope) -> None:
        """Remove the titles and descriptions that are not the scope's own."""
        for kind, found in scope.found.items():
            best = min(found, key=lambda place: (not self._has_text(*place[1:]), place))
            stand_ins = 0 if kind == "title" else 1
            self._edits += [
                (start, end, "")
                for rank, start, end in found
                if rank == 3
                or (rank >= stand_ins and (rank, start, end) != best)
                or (rank > 0 and kind == "description" and scope.has_text)
            ]

    def _has_text(self, start: int, end: int) -> bool:
        return bool(self._inner(start, end).strip())

    def _inner(self, start: int, end: int) -> str:
        inner = self._text[self._text.index(">", start) + 1 : end]
        return inner[: inner.rfind("</")]

    def _resolve(self, token: re.Match[str]) -> None:
        """Make a tag's `xml:base` absolute, and URLs within a text that has one of its own in it.

        feedparser knows only absolute ones, and only those around a text.
        """
        attributes = token["attributes"]
        depth = len(self._names) + 1
        base = self._bases[-1][1] if self._bases else self._base
        if (found := XML_BASE.search(attributes)) is not None:
            joined = joined_url(base, html.unescape(found[1] or found[2] or ""))
            base = joined if len(joined) <= MAX_BASE else base
            start, end = found.span()
            attributes = f'{attributes[:start]} xml:base="{html.escape(base)}"{attributes[end:]}'
            self._bases.append((depth, base))
        elif depth == 1:
            # Without one there, feedparser applies a base to all that follows.
            attributes = f' xml:base="{html.escape(base)}{NO_BASE}"{attributes}'
        entry, local = self._entry, token["name"].rpartition(":")[2].lower()
        if entry is not None and self._bases and self._bases[-1][0] > entry.depth + 1:
            attributes = URL_ATTRIBUTE.sub(functools.partial(resolved, base), attributes)
        elif local in _IDS and not WEB_URL.match(self._text, token.end()):
            attributes = without_permalink(attributes)
        elif local in _FILES:
            attributes = FILE_URL.sub(functools.partial(resolved, base), attributes)
        if attributes != token["attributes"]:
            self._edits.append((*token.span("attributes"), attributes))

    def _edited(self, end: int) -> str:
        """Return the text up to `end` as edited; of edits within others the outer one counts."""
        if not self._edits:
            return self._text[:end]
        pieces = []
        position = 0
        for start, stop, replacement in sorted(self._edits, key=lambda edit: (edit[0], -edit[1])):
            if start < position or stop > end:
                continue
            pieces += [self._text[position:start], replacement]
            position = stop
        return "".join([*pieces, self._text[position:end]])
