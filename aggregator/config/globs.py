"""Match paths against `posts: glob`, name by name.  Pure."""

from __future__ import annotations

import fnmatch
import re
from typing import Literal

# Which files of a posts folder are posts, and what their names say.
Layout = Literal["jekyll", "hugo", "plain"]
# The folders of the posts of a Jekyll site.
POSTS = "_posts"
SKIPPED_FOLDERS = frozenset({"_drafts", "node_modules"})


def is_hidden(name: str) -> bool:
    """Return whether a name is that of a hidden file, or of an editor's backup."""
    return name[0] == "." or name[-1] in "~#"


class Glob:
    """A glob over paths: `*` stays within a folder, `**/` spans any number of them.

    Matching follows the folders down: `start` and `enter` return the positions in the
    pattern that a folder can match, as indexes of the folders that the pattern names.
    """

    def __init__(self, glob: str) -> None:
        *folders, name = glob.split("/")
        if name == "**":
            folders, name = [*folders, name], "*"
        self.fits = re.compile(fnmatch.translate(name)).match
        # None stands for any number of folders.
        self._folders = [
            None if part == "**" else re.compile(fnmatch.translate(part)).match for part in folders
        ]
        self.start = self._with_none({0})

    def enter(self, places: frozenset[int], folder: str) -> frozenset[int]:
        """Return the positions after a folder's name; empty if nothing below it can match."""
        found = set()
        for place in places:
            if place < len(self._folders):
                fits = self._folders[place]
                if fits is None:
                    found.add(place)
                elif fits(folder) is not None:
                    found.add(place + 1)
        return self._with_none(found)

    def is_end(self, places: frozenset[int]) -> bool:
        """Return whether the files of the folder match if their names do."""
        return len(self._folders) in places

    def _with_none(self, places: set[int]) -> frozenset[int]:
        """Add the positions that follow where `**` matches no folder."""
        for place, fits in enumerate(self._folders):
            if place in places and fits is None:
                places.add(place + 1)
        return frozenset(places)


def reaches(glob: str, path: str) -> bool:
    """Return whether a glob matches the file at `path`, relative to its folder."""
    *folders, name = path.split("/")
    if any(part in SKIPPED_FOLDERS or part[0] == "." for part in (*folders, name)):
        return False
    pattern = Glob(glob)
    places = pattern.start
    for folder in folders:
        places = pattern.enter(places, folder)
    return pattern.is_end(places) and pattern.fits(name) is not None
