"""Which files of a folder are posts: globs, against the standard library's."""

import fnmatch
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.origins.posts.scan import list_posts

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
