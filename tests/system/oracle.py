"""What must hold of a site whatever happened to it: one judge for every fault and kill.

`faults_of` judges what is published, file by file, without a line of the program's own
code, and asks the commands last.  Every test that disturbs a run ends with `assert_sound`.
"""

from __future__ import annotations

import datetime
import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import brotli
import feedparser
import yaml
from conftest import ATOM, Site
from lxml import etree
from system.documents import (
    Expected,
    Shown,
    atom_entries,
    differing,
    files_of,
    json_entries,
    rss_entries,
)

HISTORY = "{http://purl.org/syndication/history/1.0}"
EXTENSIONS = {"atom": ".atom", "rss": ".rss", "json": ".json"}
PACKED = {"gzip": ".gz", "br": ".br"}
# All that may lie beside a store: itself, its journal, locks, and what the commands note.
NOTES = (
    "", "-journal", "-wal", "-shm", ".lock", ".daemon", ".daemon.lock", ".current", ".checked",
    ".templates", ".search", ".search-journal", ".search.lock",
)  # fmt: skip


@dataclass
class _Published:
    """The files of a site, and what is wrong with them."""

    site: Site
    config: dict[str, Any]
    faults: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)

    @property
    def feeds(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config["feeds"]
        return found

    @property
    def formats(self) -> list[str]:
        return list(self.feeds.get("formats", ["atom"]))

    @property
    def prefix(self) -> str:
        return f"tag:{self.config['site']['tag']}:"

    def read(self, path: str) -> bytes:
        """A file that has to be there, and its packed twins."""
        self.reached.add(path)
        try:
            data = (self.site.feeds / path).read_bytes()
        except OSError as error:
            self.faults.append(f"{path}: {error.strerror}")
            return b""
        for coding in self.feeds.get("compress", []):
            twin = path + PACKED[coding]
            self.reached.add(twin)
            try:
                packed = (self.site.feeds / twin).read_bytes()
                same = (gzip if coding == "gzip" else brotli).decompress(packed) == data
            except (OSError, EOFError, ValueError, brotli.error) as error:
                self.faults.append(f"{twin}: {error}")
                continue
            if not same:
                self.faults.append(f"{twin}: holds something else than {path}")
        return data


def assert_sound(
    site: Site,
    expected: Iterable[Expected],
    *,
    twin: Site | None = None,
    before: Mapping[str, tuple[datetime.datetime, datetime.datetime]] | None = None,
    damaged_stores: bool = False,
) -> None:
    """Fail with all that is wrong with a site; the arguments are those of `faults_of`."""
    found = faults_of(site, expected, twin=twin, before=before, damaged_stores=damaged_stores)
    assert not found, f"{site.root}:\n  " + "\n  ".join(found)


def faults_of(
    site: Site,
    expected: Iterable[Expected],
    *,
    twin: Site | None = None,
    before: Mapping[str, tuple[datetime.datetime, datetime.datetime]] | None = None,
    damaged_stores: bool = False,
    ask_commands: bool = True,
) -> list[str]:
    """Everything that is wrong with a site that must publish just the `expected` articles.

    The bytes must be those of `twin`, the same site undisturbed; entries must have the
    dates that they had `before`, but for articles that were revised.  Stores that were
    moved aside may lie in var/ if there were `damaged_stores`.
    """
    articles = {article.code: article for article in expected}
    published = _Published(site, yaml.safe_load(site.config.read_text("utf-8")))
    faults = published.faults
    groups: dict[str, list[Expected]] = {"all": list(articles.values())}
    for article in articles.values():
        groups.setdefault(f"sources/{article.source}", []).append(article)
    for stem, group in groups.items():
        shown = _chain(published, stem, group)
        faults += _of_entries(published, stem, shown, group, before)
    _pages(published, list(groups))
    present = {
        path.relative_to(site.feeds).as_posix()
        for path in site.feeds.rglob("*")
        if not path.is_dir()
    }
    faults += [f"{path}: left over" for path in sorted(present - published.reached)]
    faults += left_in_var(site, damaged_stores=damaged_stores)
    if twin is not None:
        faults += differences(site, twin)
    if ask_commands:
        faults += _of_commands(site, articles)
    return faults


def differences(site: Site, twin: Site) -> list[str]:
    """Where the files of two sites differ."""
    return [
        f"{path}: not as in the undisturbed site"
        for path in differing(files_of(site), files_of(twin))
    ]


def _chain(published: _Published, stem: str, group: list[Expected]) -> list[list[Shown]]:
    """The entries of each document of a feed, from the one subscribed to to the oldest."""
    key = "combined_entries" if stem == "all" else "entries"
    limit = published.feeds.get(key, {"combined_entries": 100, "entries": 50}[key])
    newest = sorted(group, key=lambda item: (item.published, item.code), reverse=True)[:limit]
    wanted = [published.prefix + item.code for item in newest]
    documents: list[list[Shown]] = []
    previous = None
    for format in published.formats:
        path = stem + EXTENSIONS[format]
        entries, link = _document(published, path, format)
        if [entry.id for entry in entries] != wanted:
            published.faults.append(
                f"{path}: shows {len(entries)} entries, not the newest {len(wanted)}: "
                f"{_short({entry.id for entry in entries} ^ set(wanted))}"
            )
        if documents and documents[0] != entries:
            published.faults.append(f"{path}: other titles, texts or dates than another format")
        if not documents:
            documents, previous = [entries], link
    base = published.feeds["url"]
    seen = set()
    while previous is not None and previous not in seen:
        seen.add(previous)
        path = previous.removeprefix(base)
        entries, previous = _document(published, path, "atom", is_archive=True)
        documents.append(entries)
    return documents


def _document(
    published: _Published, path: str, format: str, *, is_archive: bool = False
) -> tuple[list[Shown], str | None]:
    """The entries of a document, and the address of the one before it."""
    data = published.read(path)
    if not data:
        return [], None
    try:
        if format == "json":
            return list(json_entries(json.loads(data))), None
        root = etree.fromstring(data)
        parsed = feedparser.parse(data, sanitize_html=False, resolve_relative_uris=False)
        if parsed.bozo:
            published.faults.append(f"{path}: {parsed.bozo_exception}")
        place = root if format == "atom" else root[0]
        links = {link.get("rel"): link.get("href") for link in place.findall(ATOM + "link")}
        if is_archive and root.find(HISTORY + "archive") is None:
            published.faults.append(f"{path}: is no archive")
        entries = list(atom_entries(root) if format == "atom" else rss_entries(root))
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError) as error:
        published.faults.append(f"{path}: {error}")
        return [], None
    return entries, links.get("prev-archive")


def _of_entries(
    published: _Published,
    stem: str,
    documents: list[list[Shown]],
    group: list[Expected],
    before: Mapping[str, tuple[datetime.datetime, datetime.datetime]] | None,
) -> Iterator[str]:
    """What is wrong with the entries of one feed and its archives together."""
    wanted = {published.prefix + item.code: item for item in group}
    entries = [entry for document in documents for entry in document]
    if published.feeds.get("archives", True):
        missing = wanted.keys() - {entry.id for entry in entries}
        if missing:
            yield f"{stem}: {len(missing)} articles are missing: {_short(missing)}"
    twice = [
        pair for pair, count in Counter((e.id, e.updated) for e in entries).items() if count > 1
    ]
    if twice:
        yield f"{stem}: {len(twice)} entries are doubled: {_short(pair[0] for pair in twice)}"
    newest: dict[str, Shown] = {}
    for entry in entries:
        item = wanted.get(entry.id)
        first = newest.setdefault(entry.id, entry)
        if item is None:
            yield f"{stem}: {entry.id} is nothing that was to be published"
        elif entry.published != item.published:
            yield f"{stem}: {entry.id} is published at {entry.published}"
        elif first is entry:
            # Below a text, other outlets may be named that tell the same story.
            text = entry.text.partition("同题报道：")[0].rstrip()
            if (entry.title, text) != (item.title, item.text):
                yield f"{stem}: {entry.id} has the text {entry.text[:40]!r}, not the last one"
            if item.is_revised != (entry.updated > entry.published):
                yield f"{stem}: {entry.id} is updated at {entry.updated}"
        elif entry.updated > first.updated:
            yield f"{stem}: {entry.id} has an older version before a newer one"
        elif entry.updated < first.updated and not item.is_revised:
            yield f"{stem}: {entry.id} comes again, and was never revised"
    for identifier, dates in (before or {}).items():
        entry = newest.get(identifier)
        if entry is None or (wanted[identifier].is_revised and entry.updated > dates[1]):
            continue
        if (entry.published, entry.updated) != dates:
            yield f"{stem}: {identifier} had the dates {dates[0]}, {dates[1]} before"


def _pages(published: _Published, stems: list[str]) -> None:
    """The page and the list of feeds, which name every feed."""
    data = published.read("feeds.opml")
    extension = EXTENSIONS[published.formats[0]]
    if data:
        try:
            listed = [item.get("xmlUrl") for item in etree.fromstring(data).iter("outline")]
        except etree.XMLSyntaxError as error:
            published.faults.append(f"feeds.opml: {error}")
            listed = []
        found = sorted(url for url in listed if url)
        if found != sorted(f"{published.feeds['url']}{stem}{extension}" for stem in stems):
            published.faults.append(f"feeds.opml: lists {len(found)} feeds of {len(stems)}")
    if not published.feeds.get("page", True):
        return
    data = published.read("index.html")
    if not data.rstrip().endswith(b"</html>"):
        published.faults.append("index.html: no end")
    for stem in stems:
        if f"{stem}{extension}".encode() not in data:
            published.faults.append(f"index.html: does not name {stem}")
    for name in ("feeds.css", "feeds.js", "feed.css", "icon.svg"):
        if not published.read(name):
            published.faults.append(f"{name}: empty")


def left_in_var(site: Site, *, damaged_stores: bool = False) -> Iterator[str]:
    """What lies beside a store and should not."""
    name = site.store.name
    # Of a store in a database there may be nothing.
    for path in sorted(site.store.parent.glob("*")):
        if path.name.startswith(f"{name}.damaged-") and damaged_stores:
            continue
        if path.name not in [name + extension for extension in NOTES]:
            yield f"var/{path.name}: left over"
        elif path.name.endswith("-journal") and path.stat().st_size:
            yield f"var/{path.name}: a transaction that nobody has ended"


def _of_commands(site: Site, expected: Mapping[str, Expected]) -> Iterator[str]:
    """What the commands say of a site that is as it should be."""
    articles = {code: item for code, item in expected.items() if not item.archived_only}
    status = site.run("status", "--json")
    if status.code:
        yield f"status: {status.err}"
    elif status.json["articles"] < len(articles):
        yield f"status: {status.json['articles']} articles"
    ends = sorted(articles)[:1] + sorted(articles)[-1:]
    for code in dict.fromkeys(ends):
        shown = site.run("show", code)
        if shown.code or articles[code].title not in shown.out:
            yield f"show {code}: {shown.err or shown.out}"
    checked = site.run("check", "--feeds")
    if checked.code:
        yield f"check --feeds: {checked.err}{checked.out}"
    for command, result in (("status", status), ("check", checked)):
        if "Traceback" in result.err:
            yield f"{command}: {result.err}"


def _short(identifiers: Iterable[str]) -> str:
    some = sorted(identifiers)
    return ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")
