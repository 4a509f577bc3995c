"""Published documents and posts as they are on disk, read without the program's own code."""

from __future__ import annotations

import datetime
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import yaml
from conftest import ATOM, Site
from lxml import etree, html

CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
SHARE = re.compile(r"^<http\S*[?&]infoCode=(\w+)>$", re.MULTILINE)


@dataclass(frozen=True)
class Expected:
    """An article that must be published, in its last version.

    `is_revised` allows for older versions of it in older archive documents; of one that
    is `archived_only` a lost store had the text, and the new one has the dates.
    """

    code: str
    title: str
    text: str
    published: datetime.datetime
    source: str
    is_revised: bool = False
    archived_only: bool = False


@dataclass(frozen=True)
class Shown:
    """An entry as a document shows it."""

    id: str
    title: str
    text: str
    published: datetime.datetime
    updated: datetime.datetime


def expected_of(*folders: Path, revised: Iterable[str] = ()) -> list[Expected]:
    """What folders of posts say, read here without the program; `revised` are codes."""
    again = set(revised)
    found: dict[str, Expected] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.md"))):
        text = path.read_text("utf-8")
        matched = FRONT_MATTER.match(text)
        share = SHARE.search(text)
        assert matched is not None, path
        values = yaml.load(matched[1], yaml.BaseLoader)
        code = share[1] if share is not None else path.stem
        body = matched[2][: share.start() - len(text) + len(matched[2])] if share else matched[2]
        body = re.sub(r"^\[返回.*$", "", body, flags=re.MULTILINE)
        found[code] = Expected(
            code,
            values["title"],
            _visible(body),
            datetime.datetime.strptime(_zoned(values["date"]), "%Y-%m-%d %H:%M:%S %z"),
            values["categories"],
            is_revised=code in again,
        )
    return list(found.values())


def dates_of(site: Site) -> dict[str, tuple[datetime.datetime, datetime.datetime]]:
    """When the entries on disk were published and, by the newest document, updated."""
    found: dict[str, tuple[datetime.datetime, datetime.datetime]] = {}
    for path in sorted(site.feeds.rglob("*.atom")):
        for entry in atom_entries(etree.fromstring(path.read_bytes())):
            known = found.get(entry.id)
            if known is None or known[1] < entry.updated:
                found[entry.id] = (entry.published, entry.updated)
    return found


def files_of(site: Site) -> dict[str, bytes]:
    """Every file that is published, by its path."""
    return {
        path.relative_to(site.feeds).as_posix(): path.read_bytes()
        for path in sorted(site.feeds.rglob("*"))
        if path.is_file()
    }


def differing(here: Mapping[str, bytes], there: Mapping[str, bytes]) -> list[str]:
    """The paths of files that are not the same on two sides."""
    return [
        path for path in sorted(here.keys() | there.keys()) if here.get(path) != there.get(path)
    ]


def torn(site: Site) -> list[str]:
    """Files that nobody may ever see: half a document, whatever else went wrong."""
    found = []
    for path in sorted(site.feeds.rglob("*")) if site.feeds.is_dir() else ():
        try:
            if path.suffix in (".atom", ".rss", ".opml"):
                etree.fromstring(path.read_bytes())
            elif path.suffix == ".json":
                json.loads(path.read_bytes())
            elif path.suffix == ".gz":
                gzip.decompress(path.read_bytes())
            elif path.suffix == ".html" and b"</html>" not in path.read_bytes():
                found.append(f"{path.name}: no end")
        except (SyntaxError, ValueError, OSError, EOFError) as error:
            found.append(f"{path.name}: {error}")
    return found


def atom_entries(root: Any) -> Iterator[Shown]:
    for entry in root.iter(ATOM + "entry"):
        content = entry.findtext(ATOM + "content")
        yield Shown(
            entry.findtext(ATOM + "id"),
            entry.findtext(ATOM + "title"),
            _visible(content or ""),
            datetime.datetime.fromisoformat(entry.findtext(ATOM + "published")),
            datetime.datetime.fromisoformat(entry.findtext(ATOM + "updated")),
        )


def rss_entries(root: Any) -> Iterator[Shown]:
    for item in root.iter("item"):
        yield Shown(
            item.findtext("guid"),
            item.findtext("title"),
            _visible(item.findtext(CONTENT + "encoded") or ""),
            parsedate_to_datetime(item.findtext("pubDate")),
            datetime.datetime.fromisoformat(item.findtext(ATOM + "updated")),
        )


def json_entries(feed: Any) -> Iterator[Shown]:
    for item in feed["items"]:
        yield Shown(
            item["id"],
            item["title"],
            _visible(item["content_html"]),
            datetime.datetime.fromisoformat(item["date_published"]),
            datetime.datetime.fromisoformat(item["date_modified"]),
        )


def _visible(markup: str) -> str:
    """The words of some HTML, and nothing of how it is marked up."""
    if not markup.strip():
        return ""
    words = html.fragment_fromstring(markup, create_parent="div").text_content()
    return " ".join(words.split())


def _zoned(text: str) -> str:
    """A date as posts have it, in the zone of the tests' sites if it names none."""
    return text if re.search(r"[+-]\d{4}$", text) else f"{text} +0800"
