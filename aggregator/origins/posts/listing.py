"""A posts folder → the paths of its posts, and how many other files it has."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aggregator.config.globs import SKIPPED_FOLDERS, Glob, Layout
from aggregator.model.errors import OriginError
from aggregator.origins.posts.scan import location

if TYPE_CHECKING:
    from aggregator.config.origins import Posts

POST_SUFFIXES = frozenset(
    ["", ".md", ".markdown", ".mkdown", ".mkdn", ".mkd", ".html", ".htm", ".txt"]
)
POSTS, DRAFTS = "_posts", "_drafts"
# The names that Jekyll publishes from a folder `_posts`.
_JEKYLL_NAME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-.*\.[^.]+", re.DOTALL)
_JEKYLL_CONFIGS = frozenset({"_config.yml", "_config.yaml", "_config.toml"})
# A section's own page, which Hugo does not list as a post.
_HUGO_SECTION = "_index"


@dataclass(slots=True)
class Listing:
    """The posts of a folder, in the order of their locations, and the number of other files."""

    posts: list[str] = field(default_factory=list)
    others: int = 0


def list_folder(root: Path, glob: str, layout: Layout = "plain") -> Listing:
    """Return the posts below `root` by the rules of a layout, as paths relative to it.

    Hidden and backup files are left out without being counted.  Of the folder of a Jekyll
    site, only folders called `_posts` count.  Raises `OriginError` if the folder, or one
    below it, cannot be listed.
    """
    found = _Walk(root, Glob(glob), layout).run()
    found.posts.sort(key=location)
    return found


def list_posts(root: Path, glob: str, layout: Layout = "plain") -> list[str]:
    """Return the posts of `list_folder`."""
    return list_folder(root, glob, layout).posts


def count_others(base: Path, posts: Posts) -> int:
    """Return how many files of a folder are not posts; 0 for one that cannot be listed."""
    try:
        return list_folder(base / posts.path, posts.glob, posts.layout).others
    except OriginError:
        return 0


def newest_change(root: Path, glob: str, layout: Layout) -> float | None:
    """Return when a post below `root` last changed, in seconds since 1970; None without posts."""
    changes = []
    for path in list_posts(root, glob, layout):
        with contextlib.suppress(OSError):
            changes.append(os.lstat(root / path).st_ctime)
    return max(changes, default=None)


def folders_above(path: str) -> list[str]:
    """Return the folders above the folder `_posts` in a path: to Jekyll they are categories."""
    folders = path.split("/")[:-1]
    return folders[: folders.index(POSTS)] if POSTS in folders else []


class _Walk:
    """A walk through a folder."""

    def __init__(self, root: Path, glob: Glob, layout: Layout) -> None:
        self._root = root
        self._glob = glob
        self._layout = layout
        self._is_jekyll = layout == "jekyll"
        # A folder within `_posts` cannot be that of a site.
        self._may_be_site = self._is_jekyll and POSTS not in root.absolute().parts
        self._is_site = False
        self._drafts = 0

    def run(self) -> Listing:
        """Return what is found, unsorted."""
        inside, outside = Listing(), Listing()
        # A folder, the positions of the glob that it matches, and whether it is in a `_posts`.
        folders = [("", self._glob.start, not self._may_be_site)]
        while folders:
            folder, places, is_inside = folders.pop()
            found = inside if is_inside else outside
            for entry in self._entries(folder):
                name = entry.name
                if name[0] == "." or name[-1] in "~#":
                    continue
                path = f"{folder}/{name}" if folder else name
                if entry.is_dir(follow_symlinks=False):
                    below = self._glob.enter(places, name)
                    if below and self._enters(folder, name):
                        is_posts = name == POSTS and self._is_jekyll
                        self._is_site |= is_posts and self._may_be_site
                        folders.append((path, below, is_inside or is_posts))
                    elif name == DRAFTS and below:
                        self._drafts += self._count_drafts(path)
                elif self._glob.is_end(places) and self._glob.fits(name):
                    if self._is_post(name):
                        found.posts.append(path)
                    else:
                        found.others += self._is_jekyll or name.startswith(_HUGO_SECTION)
                if not folder and self._may_be_site and name in _JEKYLL_CONFIGS:
                    self._is_site = True
        if not self._is_site:
            inside.posts += outside.posts
            inside.others += outside.others
        inside.others += self._drafts
        return inside

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._root / folder) as entries:
                return list(entries)
        except FileNotFoundError as error:
            if folder:
                return []
            raise OriginError(f"{self._root}: no such folder (is the disk mounted?)") from error
        except OSError as error:
            raise OriginError(
                f"{self._root / folder}: cannot be listed: {error.strerror}"
            ) from error

    def _enters(self, folder: str, name: str) -> bool:
        if name in SKIPPED_FOLDERS:
            return False
        if not self._is_jekyll or name == POSTS:
            return True
        # As Jekyll: folders of its own, and what bundler installs.
        return name[0] != "_" and (bool(folder) or name != "vendor")

    def _is_post(self, name: str) -> bool:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() not in POST_SUFFIXES:
            return False
        if self._is_jekyll:
            return _JEKYLL_NAME.fullmatch(name) is not None
        return self._layout != "hugo" or stem != _HUGO_SECTION

    def _count_drafts(self, folder: str) -> int:
        suffixes = (os.path.splitext(entry.name)[1] for entry in self._entries(folder))
        return sum(suffix in POST_SUFFIXES - {""} for suffix in suffixes)
