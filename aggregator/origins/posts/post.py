"""One post as it is written: its file, its metadata, its categories and its date.

Everything here can be pickled: large polls parse in several processes.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aggregator.articles import dates, identity, sanitize
from aggregator.config.globs import POSTS, Layout
from aggregator.model.articles import NO_SOURCE
from aggregator.origins.parsers.encodings import decode
from aggregator.origins.posts import front_matter
from aggregator.origins.posts.listing import folders_above

MAX_NAME = 300
# Where folders without dates in names have them, the first that is there.
_DATE_KEYS = ("date", "publishDate", "pubDate", "created", "lastmod", "updated")
# What is said of a post: a line of its file, where one is known, and the text.
Notes = list[tuple[int | None, str]]


@dataclass(frozen=True, slots=True)
class PostRules:
    """All that reading a post depends on, apart from the file itself."""

    origin: str
    layout: Layout
    source: str | None
    identity: identity.Rules
    code_key: str
    drop_lines: tuple[re.Pattern[str], ...]
    timezone: str
    site_url: str
    site_title: str
    permalink: str | None
    max_bytes: int


@dataclass(frozen=True, slots=True)
class PostFile:
    """A file to parse: its location, its path as bytes, its content and its time.

    `modified` is in seconds since 1970 and not in the future.
    """

    location: str
    raw_path: bytes
    data: bytes
    modified: float


class Post(NamedTuple):
    """A post's file, its path without extension and `_posts`, its whole text, and its metadata."""

    file: PostFile
    path: str
    suffix: str
    text: str
    front: front_matter.FrontMatter

    @property
    def stem(self) -> str:
        """The name without its extension."""
        return self.path.rpartition("/")[2]

    @property
    def values(self) -> Mapping[str, object]:
        """The metadata."""
        return self.front.values


def split(file: PostFile, rules: PostRules) -> Post | None:
    """Return a file as text and metadata, None if it is not a post.

    Raises `UnusableError`, as `front_matter.split` does.
    """
    whole = file.raw_path.decode("utf-8", "backslashreplace")
    path, suffix = os.path.splitext(whole)
    if rules.layout == "hugo" and path.endswith("/index"):
        path = path.removesuffix("/index")
    if rules.layout == "jekyll":
        path = "/".join(name for name in path.split("/") if name != POSTS)
    text = sanitize.without_forbidden(decode(file.data))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    front = None
    if not front_matter.has_front_matter(text):
        if not suffix:
            return None
        if rules.layout == "jekyll":
            front = front_matter.FrontMatter({}, text)
    return Post(file, path, suffix.lower(), text, front or front_matter.split(text))


def categories_of(post: Post) -> list[str]:
    """Return the categories: those of the folders above `_posts`, then those of the post."""
    values = post.values
    found = [
        *folders_above(post.file.raw_path.decode("utf-8", "backslashreplace")),
        *front_matter.words_of(values.get("categories")),
        *front_matter.items_of(values.get("category")),
    ]
    return list(dict.fromkeys(found))


def source_of(categories: Sequence[str], rules: PostRules) -> str:
    """Return the key of the source: that of the folder, else the first category."""
    return rules.source or (categories[0][:MAX_NAME] if categories else NO_SOURCE)


def dates_of(
    post: Post, code: str, rules: PostRules
) -> tuple[datetime.datetime | None, datetime.datetime, Notes]:
    """Return the post's own date, the best guess at it, and a note if it cannot be read."""
    zone = ZoneInfo(rules.timezone)
    keys = ("date",) if rules.layout == "jekyll" else _DATE_KEYS
    key = next((key for key in keys if post.values.get(key) not in (None, "")), "date")
    date = post.values.get(key)
    published = dates.parse_date(front_matter.text_of(date), zone)
    named = dates.date_of_name(post.stem, zone) or dates.date_of_code(code, zone)
    changed = datetime.datetime.fromtimestamp(int(max(post.file.modified, 0)), datetime.UTC)
    guess = published or named or changed
    is_missing = date in (None, "")
    if published is not None or (is_missing and (named or rules.layout != "jekyll")):
        return published, guess, []
    taken = f"{guess.astimezone(zone):%Y-%m-%d} was taken"
    if is_missing:
        # A post has a date in its name, but not every number is one.
        return None, guess, [(None, f"the date in its name does not exist: {taken}")]
    return None, guess, [(line_of(post.text, f"\n{key}:"), f"{dates.unreadable(date)}: {taken}")]


def line_of(text: str, mark: str) -> int | None:
    """Return the first line with `mark` in it, or after its line break; None without one."""
    found = text.find(mark)
    return text.count("\n", 0, found + 1) + 1 if found >= 0 else None
