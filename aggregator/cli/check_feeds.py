"""`check --feeds`: validate every published file, and compare its ids with the last check's."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from aggregator.config.schema import Settings
from aggregator.model.atomic import replace_file
from aggregator.model.errors import PublishError
from aggregator.publish.destination import Destination, destination_of
from aggregator.publish.publication import PLACES
from aggregator.publish.validate import EXTENSIONS, Report, validate

MAX_BYTES = 200_000_000
# Common readers refuse a larger feed.
LARGE = 10_000_000
_MAX_MEMORY = 200_000_000
_ENTRY = re.compile(rb"\s*<entry>.*?</entry>", re.DOTALL)
_UPDATED = re.compile(rb"<updated>.*?</updated>", re.DOTALL)


class FileProblem(NamedTuple):
    """Something wrong with a published file; `path` is relative to the feeds folder."""

    path: str
    line: int | None
    reason: str


def memory_path(settings: Settings) -> Path:
    """Return the path of the file that holds the ids of the last check."""
    return settings.store_path.with_name(settings.store_path.name + ".checked")


def check_feeds(settings: Settings, now: datetime.datetime) -> tuple[int, list[FileProblem]]:
    """Return the number of published files, and every problem found in them.

    The ids found are saved, so that the next check can report which of them changed.
    Raises `PublishError` if there is nothing to check.
    """
    destination = destination_of(settings)
    last_check = _load(memory_path(settings))
    problems: list[FileProblem] = []
    seen: dict[str, Any] = {}
    reports: dict[str, Report] = {}
    for name in _files(destination):
        try:
            data = destination.read(name, MAX_BYTES + 1) or b""
        except PublishError as error:
            reason = str(error).removeprefix(f"{destination.place(name)}: ")
            problems.append(FileProblem(name, None, reason))
            continue
        report = validate(data, Path(name).suffix, now)
        problems += [FileProblem(name, *problem) for problem in report.problems]
        if len(data) > LARGE:
            size = f"{len(data) / 1e6:.0f} MB: many readers refuse it; lower `feeds: entries`"
            problems.append(FileProblem(name, None, size))
        problems += _broken_links(name, report, settings.feeds.url, destination)
        seen[name] = _values(report, data)
        problems += _changed(name, seen[name], last_check.get(name))
        # The comparison of formats needs only the entries.
        report.problems.clear()
        reports[name] = report
    if not seen and not problems:
        raise PublishError(
            f"{destination.place('')}: no feeds there yet; run aggregator build-feeds first"
        )
    problems += _differing(reports)
    _save(memory_path(settings), seen)
    return len(seen), problems


def _files(destination: Destination) -> list[str]:
    return [
        path
        for folder in PLACES
        for path in destination.find(f"{folder}/*" if folder else "*")
        if Path(path).suffix in EXTENSIONS
    ]


def _broken_links(
    name: str, report: Report, base: str, destination: Destination
) -> list[FileProblem]:
    """Return the links to files of this site that do not exist."""
    found = []
    for relation in ("self", "current", "prev-archive", "next-archive"):
        url = report.links.get(relation, "")
        if url.startswith(base) and not destination.exists(url.removeprefix(base)):
            found.append(FileProblem(name, None, f"link rel={relation}: there is no {url}"))
    return found


def _values(report: Report, data: bytes) -> dict[str, Any]:
    """Return what to remember of a file: entry ids by link and title, where these are unique."""
    counts = Counter(key for key, _ in report.entries)
    return {
        "id": report.feed_id,
        "entries": {key: value for key, value in report.entries if counts[key] == 1},
        "sealed": _digests(data) if report.is_sealed else None,
    }


def _digests(data: bytes) -> list[str]:
    """Return a digest of an archive without its entries and its date, and one of each entry."""
    pieces = [_UPDATED.sub(b"", _ENTRY.sub(b"", data)), *_ENTRY.findall(data)]
    return [hashlib.blake2b(piece, digest_size=8).hexdigest() for piece in pieces]


def _changed(name: str, now: dict[str, Any], before: dict[str, Any] | None) -> list[FileProblem]:
    """Return the ids and sealed archives that changed since the last check, as none ever may.

    A sealed archive loses the entries of articles that are withdrawn.
    """
    if before is None:
        return []
    found = []
    if before["id"] != now["id"]:
        found.append(FileProblem(name, None, f"the feed's id was {before['id']} at the last check"))
    for key, identifier in now["entries"].items():
        old = before["entries"].get(key, identifier)
        if old != identifier:
            title = key.partition("\n")[2]
            found.append(FileProblem(name, None, f"{title}: its id was {old} at the last check"))
    # An earlier version saved one digest of the whole.
    if isinstance(before["sealed"], list) and not _is_left_of(now["sealed"], before["sealed"]):
        found.append(FileProblem(name, None, "a sealed archive has changed since the last check"))
    return found


def _is_left_of(now: list[str] | None, before: list[str]) -> bool:
    """Return whether an archive is as it was, but for entries that it has lost."""
    return now is not None and now[0] == before[0] and set(now) <= set(before)


def _differing(reports: dict[str, Report]) -> list[FileProblem]:
    """Return the formats of a feed whose entries differ from those of its first format."""
    by_stem: dict[str, dict[str, list[str]]] = {}
    for name, report in reports.items():
        if not name.endswith(".opml"):
            ids = [identifier for _, identifier in report.entries]
            by_stem.setdefault(name.rpartition(".")[0], {})[name] = ids
    found = []
    for names in by_stem.values():
        first, *others = names
        found += [
            FileProblem(name, None, f"does not have the entries of {first}")
            for name in others
            if names[name] != names[first]
        ]
    return found


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_MAX_MEMORY))
        return values if isinstance(values, dict) else {}
    except (OSError, ValueError):
        return {}


def _save(path: Path, seen: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # then the next check compares nothing
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(seen, ensure_ascii=False).encode())
