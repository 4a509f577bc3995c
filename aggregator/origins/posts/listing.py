"""A posts folder → the paths of its posts, and how many other files it has."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar

from aggregator.config.globs import POSTS, SKIPPED_FOLDERS, Glob, Layout, is_hidden
from aggregator.model.errors import OriginError
from aggregator.origins.posts.scan import location
from aggregator.origins.posts.sorted_paths import SortedPaths

if TYPE_CHECKING:
    from aggregator.config.origins import Posts

POST_SUFFIXES = frozenset(
    ["", ".md", ".markdown", ".mkdown", ".mkdn", ".mkd", ".html", ".htm", ".txt"]
)
DRAFTS = "_drafts"
# The names that Jekyll publishes from a folder `_posts`.
_JEKYLL_NAME = re.compile(r"\d{4}-\d{1,2}-\d{1,2}-.*\.[^.]+", re.DOTALL)
_JEKYLL_CONFIGS = frozenset({"_config.yml", "_config.yaml", "_config.toml"})
# A section's own page, which Hugo does not list as a post.
_HUGO_SECTION = "_index"
# Whether folders were those of a Jekyll site when this process last walked them.
_sites: dict[Path, bool] = {}


class Collector(Protocol):
    """What a walk hands the paths of posts to, relative to the folder and in no order."""

    def add(self, path: str, entry: os.DirEntry[str]) -> None:
        """Take a path, and its entry in its folder."""


Collected = TypeVar("Collected", bound=Collector)


class Listing(NamedTuple):
    """The posts of a folder, in the order of their locations, and the number of other files."""

    posts: SortedPaths
    others: int


def walk(
    root: Path, glob: str, layout: Layout, make: Callable[[], Collected]
) -> tuple[Collected, int]:
    """Hand the posts below `root` to a collector; return it, and the number of other files.

    Hidden and backup files are left out without being counted.  Of the folder of a Jekyll
    site, only folders called `_posts` count.  Raises `OriginError` if the folder, or one
    below it, cannot be listed.
    """
    rules = _Rules(root, glob, layout)
    # What is found inside of folders `_posts`, and outside of them.
    inside, outside = make(), make()
    others = {True: 0, False: 0}
    drafts, is_site = 0, False
    folders = [rules.start]
    while folders:
        folder = folders.pop()
        collector = inside if folder.is_inside else outside
        for entry in _entries(root, folder.path):
            name = entry.name
            if entry.is_dir(follow_symlinks=False):
                below = rules.enter(folder, name)
                if below is not None:
                    is_site |= rules.may_be_site and name == POSTS
                    folders.append(below)
                elif rules.has_drafts(folder, name):
                    drafts += _count_drafts(root, folder.below(name))
                continue
            kind = rules.kind(folder, name)
            if kind == "post":
                collector.add(folder.below(name), entry)
            elif kind == "other":
                others[folder.is_inside] += 1
            is_site |= not folder.path and rules.may_be_site and name in _JEKYLL_CONFIGS
    _sites[root] = is_site
    if rules.may_be_site and not is_site:
        return outside, others[False] + drafts
    return inside, others[True] + drafts


def list_folder(root: Path, glob: str, layout: Layout = "plain") -> Listing:
    """Return the posts below `root` by the rules of a layout; raises what `walk` raises."""
    return Listing(*walk(root, glob, layout, SortedPaths))


def list_posts(root: Path, glob: str, layout: Layout = "plain") -> list[str]:
    """Return the posts of `list_folder`."""
    return list(list_folder(root, glob, layout).posts)


def has_posts(root: Path, glob: str, layout: Layout = "plain") -> bool:
    """Return whether there is a post below `root`; raises what `walk` raises."""
    # What is found outside of `_posts` counts if this is not the folder of a site.
    ends = iter([True, _sites.get(root) is False])
    try:
        posts, _ = walk(root, glob, layout, lambda: _First(ends=next(ends)))
    except _FoundError:
        return True
    return posts.is_found


def posts_among(root: Path, glob: str, layout: Layout, paths: Iterable[str]) -> list[str] | None:
    """Return which of these paths below `root` are those of posts, in the order of a listing.

    None if only a walk can tell: of the folder of a Jekyll site, other files count than of
    another folder, and one of these files may make it one.
    """
    rules = _Rules(root, glob, layout)
    is_site = _sites.get(root) if rules.may_be_site else False
    found = []
    for path in paths:
        if is_site is None or (rules.may_be_site and path in _JEKYLL_CONFIGS):
            return None
        *folders, name = path.split("/")
        place: _Place | None = rules.start
        for folder in folders:
            place = rules.enter(place, folder) if place is not None else None
        if place is None:
            continue
        if rules.may_be_site and place.is_inside != is_site:
            if place.is_inside:
                return None
            continue
        is_folder = os.path.isdir(root / path) and not os.path.islink(root / path)
        if rules.kind(place, name) == "post" and not is_folder:
            found.append(path)
    return sorted(found, key=location)


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


class _FoundError(Exception):
    """There is a post."""


class _First:
    """Notes that there is a post, and ends the walk at the first one if it `ends`."""

    def __init__(self, *, ends: bool) -> None:
        self._ends = ends
        self.is_found = False

    def add(self, path: str, entry: os.DirEntry[str]) -> None:
        self.is_found = True
        if self._ends:
            raise _FoundError


class _Place(NamedTuple):
    """A folder, and the positions of the glob that it matches.

    `is_end`: its files match if their names do.  `is_inside`: it is, or is in, a `_posts`.
    """

    path: str
    positions: frozenset[int]
    is_end: bool
    is_inside: bool

    def below(self, name: str) -> str:
        """Return the path of a file in it."""
        return f"{self.path}/{name}" if self.path else name


class _Rules:
    """The rules of a layout and a glob for names, from the top of a folder down."""

    def __init__(self, root: Path, glob: str, layout: Layout) -> None:
        self._glob = Glob(glob)
        self._layout = layout
        self._is_jekyll = layout == "jekyll"
        # A folder within `_posts` cannot be that of a site.
        self.may_be_site = self._is_jekyll and POSTS not in root.absolute().parts
        self.start = self._place("", self._glob.start, is_inside=not self.may_be_site)

    def enter(self, place: _Place, name: str) -> _Place | None:
        """Return the place of a folder within another one, None if no post can be in it."""
        if is_hidden(name) or not self._enters(place, name):
            return None
        below = self._glob.enter(place.positions, name)
        is_inside = place.is_inside or (self._is_jekyll and name == POSTS)
        return self._place(place.below(name), below, is_inside=is_inside) if below else None

    def _place(self, path: str, positions: frozenset[int], *, is_inside: bool) -> _Place:
        return _Place(path, positions, self._glob.is_end(positions), is_inside)

    def has_drafts(self, place: _Place, name: str) -> bool:
        """Return whether a folder that is not entered has drafts."""
        return name == DRAFTS and bool(self._glob.enter(place.positions, name))

    def kind(self, place: _Place, name: str) -> Literal["post", "other"] | None:
        """Return what a file is; None if it does not count."""
        if not place.is_end or is_hidden(name) or not self._glob.fits(name):
            return None
        if self._is_post(name):
            return "post"
        return "other" if self._is_jekyll or name.startswith(_HUGO_SECTION) else None

    def _enters(self, place: _Place, name: str) -> bool:
        if name in SKIPPED_FOLDERS:
            return False
        if not self._is_jekyll or name == POSTS:
            return True
        # As Jekyll: folders of its own, and what bundler installs.
        return name[0] != "_" and (bool(place.path) or name != "vendor")

    def _is_post(self, name: str) -> bool:
        # Of a million names, os.path.splitext takes a second.
        dot = name.rfind(".")
        stem, suffix = (name[:dot], name[dot:]) if dot > 0 else (name, "")
        if suffix.lower() not in POST_SUFFIXES:
            return False
        if self._is_jekyll:
            return _JEKYLL_NAME.fullmatch(name) is not None
        return self._layout != "hugo" or stem != _HUGO_SECTION


def _entries(root: Path, folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(root / folder) as entries:
            yield from entries
    except FileNotFoundError as error:
        if not folder:
            raise OriginError(f"{root}: no such folder (is the disk mounted?)") from error
    except OSError as error:
        raise OriginError(f"{root / folder}: cannot be listed: {error.strerror}") from error


def _count_drafts(root: Path, folder: str) -> int:
    suffixes = (os.path.splitext(entry.name)[1] for entry in _entries(root, folder))
    return sum(suffix in POST_SUFFIXES - {""} for suffix in suffixes)
