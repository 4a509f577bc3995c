"""Subscriptions from a list of feeds in OPML, as other readers export it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

from aggregator.config import safe_yaml
from aggregator.model.errors import UnusableError

MAX_BYTES = 10_000_000
SECTION = "subscriptions"


def with_lists(
    values: dict[str, safe_yaml.Value], lines: Mapping[safe_yaml.Path, int], base: Path
) -> tuple[dict[str, safe_yaml.Value], dict[safe_yaml.Path, int]]:
    """Return a configuration with the feeds of each `opml:` in its place, and their lines.

    The other keys beside `opml:` hold for all its feeds; a URL is subscribed to once, and
    with its own keys if it has an item of its own.  Raises `UnusableError` with the line of a
    list that cannot be read.
    """
    items = values.get(SECTION)
    if not isinstance(items, list) or not any(map(_names_list, items)):
        return values, dict(lines)
    expanded: list[safe_yaml.Value] = []
    places: list[int] = []
    known = {item.get("url") for item in items if isinstance(item, dict)}
    for index, item in enumerate(items):
        found: list[safe_yaml.Value] = [item]
        if isinstance(item, dict) and _names_list(item):
            line = lines.get((SECTION, index, "opml"))
            urls = [url for url in _urls(item, base, line) if url not in known]
            known.update(urls)
            others = {key: value for key, value in item.items() if key != "opml"}
            found = [{**others, "url": url} for url in urls]
        expanded += found
        places += [index] * len(found)
    return {**values, SECTION: expanded}, _moved(lines, places)


def _names_list(item: safe_yaml.Value) -> bool:
    return isinstance(item, dict) and "opml" in item


def _moved(lines: Mapping[safe_yaml.Path, int], places: list[int]) -> dict[safe_yaml.Path, int]:
    """Return the lines of keys, where the item that was at `places[n]` is now at n."""
    found = {path: line for path, line in lines.items() if path[:1] != (SECTION,) or not path[1:]}
    by_index: dict[object, list[tuple[safe_yaml.Path, int]]] = {}
    for path, line in lines.items():
        if path[:1] == (SECTION,) and path[1:]:
            by_index.setdefault(path[1], []).append((path[2:], line))
    for number, index in enumerate(places):
        found |= {(SECTION, number, *rest): line for rest, line in by_index.get(index, [])}
    return found


def _urls(item: Mapping[str, safe_yaml.Value], base: Path, line: int | None) -> list[str]:
    """Return the addresses of the feeds that a list names, each once."""
    named = item["opml"]
    if "url" in item:
        raise UnusableError("has opml: and url:, which exclude each other", line)
    if not isinstance(named, str) or not named:
        raise UnusableError("must be the path of a file", line)
    if "://" in named:
        raise UnusableError("must be a file: save the list that is there", line)
    path = base / named
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read: {error.strerror}", line) from error
    if len(data) > MAX_BYTES:
        raise UnusableError(f"{path}: larger than {MAX_BYTES:,} bytes", line)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise UnusableError(f"{path}: has a DOCTYPE, which no OPML needs: refused", line)
    try:
        root = ET.fromstring(data)  # noqa: S314  # without entities it is harmless
    except (ET.ParseError, ValueError, LookupError) as error:
        raise UnusableError(f"{path}: is not XML: {error}", line) from error
    urls = list(dict.fromkeys(_feeds(root)))
    if not urls:
        raise UnusableError(f"{path}: names no feed (no outline has an xmlUrl)", line)
    return urls


def _feeds(root: ET.Element) -> Iterator[str]:
    for outline in root.iter():
        for name, value in outline.attrib.items():
            if name.lower() == "xmlurl" and value.strip():
                # Some readers write the scheme that browsers had for feeds.
                url = value.strip().removeprefix("feed:")
                yield f"http:{url}" if url.startswith("//") else url
