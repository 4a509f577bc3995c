"""Subscriptions from lists of feeds in OPML, as other readers export them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from xml.parsers import expat

from aggregator.config import safe_yaml
from aggregator.config.paths import store_file
from aggregator.config.values import web_url
from aggregator.model.errors import UnusableError

MAX_BYTES = 10_000_000
MAX_FEEDS = 10_000
# Matches a declaration of an encoding other than those that expat decodes itself.
_DECLARED = re.compile(
    rb"\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"'](?!utf-|us-ascii|iso-8859-1)([\w.:-]{1,40})[\"']"
    rb"[^>]{0,200}\?>",
    re.IGNORECASE,
)
SECTION = "subscriptions"
# The lists at URLs, as an internal section of the configuration: `Settings.feed_lists`.
LISTS = "subscriptions.opml"
# Messages about URLs in files that were left out: `Settings.left_out`.
LEFT_OUT = "subscriptions.left out"
# Keys for the request of the list itself, which the feeds that a stranger names must not get.
_LIST_ONLY = frozenset({"headers", "proxy"})


def feeds_of(data: bytes) -> list[str]:
    """Return the URLs of the feeds in a list, each once.

    Raises `UnusableError` if it is no OPML, has a DOCTYPE, or names no feed.
    """
    if len(data) > MAX_BYTES:
        raise UnusableError(f"larger than {MAX_BYTES:,} bytes")
    found: dict[str, None] = {}
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise UnusableError("has a DOCTYPE, which no OPML needs: refused")

    def start(_: str, attributes: Mapping[str, str]) -> None:
        for name, value in attributes.items():
            if name.lower() == "xmlurl" and value.strip():
                # Some readers write the scheme that browsers had for feeds.
                url = value.strip().removeprefix("feed:")
                found[f"http:{url}" if url.startswith("//") else url] = None

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    try:
        parser.Parse(_as_utf8(data), True)
    except UnusableError:
        raise
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnusableError(f"is not XML: {error}") from error
    if not found:
        raise UnusableError("names no feed (no outline has an xmlUrl)")
    return list(found)[:MAX_FEEDS]


def _as_utf8(data: bytes) -> bytes:
    """Return a document in an encoding that expat reads.  Raises `LookupError`, `ValueError`."""
    match = _DECLARED.match(data)
    if match is None:
        return data
    return data[match.end() :].decode(match[1].decode("ascii")).encode()


def subscribed(urls: Iterable[str], lists: Container[str] = ()) -> list[str]:
    """Return the URLs of a stranger's list that can be subscribed to.

    Leaves out the lists' own URLs, invalid URLs, and URLs with a password.
    """
    return [url for url in urls if _is_web_url(url) and "@" not in url and url not in lists]


def kept_list(store: Path, url: str) -> Path:
    """Return the path of the copy of a list at a URL, which polls keep beside the store."""
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    return store.with_name(f"{store.name}.{digest}.opml")


def with_lists(
    values: dict[str, safe_yaml.Value], lines: Mapping[safe_yaml.Path, int], base: Path
) -> tuple[dict[str, safe_yaml.Value], dict[safe_yaml.Path, int]]:
    """Return a configuration with the feeds of each `opml:` in its place, and their lines.

    The other keys beside `opml:` hold for all its feeds; a URL is subscribed to once, and
    with its own keys if it has an item of its own.  Of a list at a URL, the feeds are those
    that it had when it was last polled.  Raises `UnusableError` with the line of a list that
    cannot be read.
    """
    items = values.get(SECTION)
    if not isinstance(items, list) or not any(map(_names_list, items)):
        return values, dict(lines)
    expanded: list[safe_yaml.Value] = []
    places: list[int] = []
    lists: list[safe_yaml.Value] = []
    list_places: list[int] = []
    left_out: list[safe_yaml.Value] = []
    known = {item.get("url") for item in items if isinstance(item, dict)}
    at_urls = {str(item["opml"]) for item in items if isinstance(item, dict) and _names_list(item)}
    store = store_file(base, str(values.get("store") or ""))
    for index, item in enumerate(items):
        found: list[safe_yaml.Value] = [item]
        if isinstance(item, dict) and _names_list(item):
            line = lines.get((SECTION, index, "opml"))
            others = {key: value for key, value in item.items() if key != "opml"}
            named = item["opml"]
            if "url" in item:
                raise UnusableError("has both opml: and url:; keep one of them", line)
            if not isinstance(named, str) or not named:
                raise UnusableError("opml: must be the path of a file, or a URL", line)
            if "://" in named:
                lists.append({**others, "url": named})
                list_places.append(index)
                others = {key: value for key, value in others.items() if key not in _LIST_ONLY}
                urls = subscribed(kept_feeds(kept_list(store, named)), at_urls)
            else:
                found_there = _feeds_of_file(base / named, line)
                urls = subscribed(found_there)
                kept = frozenset(urls)
                left_out += [f"{named}: {url}" for url in found_there if url not in kept]
            urls = [url for url in urls if url not in known]
            known.update(urls)
            found = [{**others, "url": url} for url in urls]
        expanded += found
        places += [index] * len(found)
    moved = _moved(lines, SECTION, places) | _moved(lines, LISTS, list_places)
    sections: dict[str, safe_yaml.Value] = {SECTION: expanded, LISTS: lists, LEFT_OUT: left_out}
    return {**values, **sections}, {**lines, **moved}


def _names_list(item: safe_yaml.Value) -> bool:
    return isinstance(item, dict) and "opml" in item


def _moved(
    lines: Mapping[safe_yaml.Path, int], section: str, places: list[int]
) -> dict[safe_yaml.Path, int]:
    """Return the lines of keys of a section whose item n was subscription `places[n]`."""
    found: dict[safe_yaml.Path, int] = {}
    by_index: dict[object, list[tuple[safe_yaml.Path, int]]] = {}
    for path, line in lines.items():
        if path[:1] == (SECTION,) and path[1:]:
            by_index.setdefault(path[1], []).append((path[2:], line))
    for number, index in enumerate(places):
        found |= {(section, number, *rest): line for rest, line in by_index.get(index, [])}
        opml_line = lines.get((SECTION, index, "opml"))
        if opml_line is not None:
            found[section, number, "url"] = opml_line
    return found


def _feeds_of_file(path: Path, line: int | None) -> list[str]:
    """Return the feeds of a list that the configuration names."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {error.strerror}", line) from error
    try:
        return feeds_of(data)
    except UnusableError as error:
        raise UnusableError(f"{path}: {error.reason}", line) from error


def kept_feeds(path: Path) -> list[str]:
    """Return the feeds of a list that a poll has kept, none before the first poll."""
    try:
        with path.open("rb") as file:
            found = feeds_of(file.read(MAX_BYTES + 1))
    except (OSError, UnusableError):
        # The next poll requests it again, and says why if that fails.
        return []
    return found


def _is_web_url(url: str) -> bool:
    try:
        web_url(url)
    except ValueError:
        return False
    return True
