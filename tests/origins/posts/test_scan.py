"""Which files of a folder are posts, in which order, and what each location is called."""

import fnmatch
import os
import re
import sqlite3
import sys
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from byte_names import byte_names
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator.origins.posts import scan
from aggregator.origins.posts.listing import list_posts

_ESCAPE = re.compile(r"\\(?:(\\)|x([0-9a-f]{2})|u([0-9a-f]{4}))")
NAMES = [
    f"{stem}.md"
    for stem in [*"ab!^-]&|\\[z(", "ab", "a-b", "[a]", "[!a]", "a.b", "aa\nb", "北京", "a*b", "a?b"]
]
TREE = [
    "top.md",
    "a/one.md",
    "a/one.txt",
    "a/b/two.md",
    "a/b/c/three.md",
    "b/a/four.md",
    "b/b/b/five.md",
    "ab/six.md",
    "2022/01/seven.md",
]
GLOBS = {
    "*.md": {"top.md"},
    "**/*.md": {*TREE} - {"a/one.txt"},
    "**/*": {*TREE},
    "**": {*TREE},
    "a/**": {"a/one.md", "a/one.txt", "a/b/two.md", "a/b/c/three.md"},
    "a/*.md": {"a/one.md"},
    "*/*.md": {"a/one.md", "ab/six.md"},
    "a/**/*.md": {"a/one.md", "a/b/two.md", "a/b/c/three.md"},
    "**/b/*.md": {"a/b/two.md", "b/b/b/five.md"},
    "**/b/**/*.md": {"a/b/two.md", "a/b/c/three.md", "b/a/four.md", "b/b/b/five.md"},
    "**/**/**/t*.md": {"top.md", "a/b/two.md", "a/b/c/three.md"},
    "20[0-9][0-9]/??/*.md": {"2022/01/seven.md"},
    "[!b]/**/*.md": {"a/one.md", "a/b/two.md", "a/b/c/three.md"},
    "a?one.md": set(),
    "a[!b]one.md": set(),
    "a*.md": set(),
    "b/**/b/*.md": {"b/b/b/five.md"},
    "c/*.md": set(),
}


def write(root: Path, paths: list[str]) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    return root


@pytest.fixture(scope="module")
def flat() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield write(Path(folder), NAMES)


@settings(deadline=None)
@given(glob=st.text("ab*?[]!^-&|~\\.z(北\n", min_size=1, max_size=8))
def test_a_glob_of_one_name_is_that_of_the_standard_library(flat: Path, glob: str) -> None:
    for pattern in (glob, glob + ".md"):
        assert list_posts(flat, pattern) == sorted(fnmatch.filter(NAMES, pattern))


@pytest.mark.parametrize("glob", GLOBS)
def test_globs_over_folders(tmp_path: Path, glob: str) -> None:
    assert set(list_posts(write(tmp_path, TREE), glob)) == GLOBS[glob]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="glob.translate is of Python 3.13")
# There a `[!b]` may stand for the slash.
@pytest.mark.parametrize("glob", sorted(GLOBS.keys() - {"a[!b]one.md"}))
def test_globs_over_folders_are_those_of_the_standard_library(glob: str) -> None:
    import re
    from glob import translate

    matches = re.compile(translate(glob, recursive=True, include_hidden=True, seps="/")).match
    assert {path for path in TREE if matches(path)} == GLOBS[glob]


def name_at(location: str) -> bytes:
    """The name that is kept at a location: reading an escape is what Python's own means."""
    pieces, end = [], 0
    for match in _ESCAPE.finditer(location):
        pieces.append(location[end : match.start()].encode())
        backslash, byte, character = match.groups()
        if backslash or byte:
            pieces.append(b"\\" if backslash else bytes.fromhex(byte))
        else:
            pieces.append(chr(int(character, 16)).encode())
        end = match.end()
    return b"".join(pieces) + location[end:].encode()


@given(byte_names)
@example(b"latin-\xe9.md")
@example(b"latin-\\xe9.md")
def test_a_location_says_which_name_it_is_of(name: bytes) -> None:
    location = scan.location(os.fsdecode(name))
    assert name_at(location) == name
    assert not [
        character
        for character in location
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI")
    ]


@given(st.text(min_size=1).filter(lambda name: name.isprintable() and "\\" not in name))
def test_an_ordinary_name_is_its_own_location(name: str) -> None:
    assert scan.location(name) == name


@given(st.lists(byte_names.filter(lambda name: len(name) < 200), unique=True, max_size=12))
def test_the_walk_is_in_the_order_of_the_store(names: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(":memory:") as database:
        for name in names:
            Path(os.fsdecode(os.fsencode(folder) + b"/p" + name)).touch()
        walked = [scan.location(path) for path in list_posts(Path(folder), "*")]
        database.execute("create table file (path varchar)")
        rows = [(place,) for place in reversed(walked)]
        database.executemany("insert into file values (?)", rows)
        stored = [row[0] for row in database.execute("select path from file order by path")]
        assert walked == stored
    database.close()
