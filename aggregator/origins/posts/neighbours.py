"""The other posts of a folder, by the names that posts have for each other."""

from __future__ import annotations

import datetime
import functools
import os
from collections.abc import Mapping
from pathlib import Path

from aggregator.config.globs import POSTS, Layout
from aggregator.model.errors import AggregatorError, UnusableError
from aggregator.origins.posts.listing import POST_SUFFIXES, list_posts
from aggregator.origins.posts.post import PostFile, PostRules
from aggregator.origins.posts.scan import location, read_file

_SUFFIXES = POST_SUFFIXES - {""}


def find(
    root: str, glob: str, rules: PostRules, now: datetime.datetime, name: str
) -> PostFile | None:
    """Return the post that `{% post_url %}` or `{% link %}` call `name`, None without one.

    The folder is listed once in each poll, of which `now` is the time.
    """
    index = _index(root, glob, rules.layout, now)
    key = _key(name.strip("/"))
    path = index.get(key) or index.get(key.rpartition("/")[2])
    if path is None:
        return None
    try:
        data = read_file(root, path, rules.max_bytes)
    except UnusableError:
        return None
    return None if data is None else PostFile(location(path), os.fsencode(path), data, 0)


@functools.lru_cache(maxsize=4)
def _index(root: str, glob: str, layout: Layout, now: datetime.datetime) -> Mapping[str, str]:
    """Return the path of each post by its whole name, and by its name without folders."""
    try:
        paths = list_posts(Path(root), glob, layout)
    except AggregatorError:
        return {}
    index = {_key(path).rpartition("/")[2]: path for path in reversed(paths)}
    index.update((_key(path), path) for path in paths)
    return index


def _key(path: str) -> str:
    """Return a path without the folder `_posts` and without its extension."""
    folders = [name for name in path.split("/") if name != POSTS]
    stem, suffix = os.path.splitext(folders[-1])
    # What follows a dot may be a part of a name without an extension.
    if suffix.lower() in _SUFFIXES:
        folders[-1] = stem
    return "/".join(folders)
