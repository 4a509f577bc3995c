"""Which paths a glob matches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config.globs import Glob, reaches


@pytest.mark.parametrize(
    ("glob", "path", "does"),
    [
        ("*.md", "a.md", True),
        ("*.md", "a/a.md", False),
        ("*/*.md", "a/a.md", True),
        ("*/*.md", "a/b/a.md", False),
        ("**/*.md", "a.md", True),
        ("**/*.md", "a/b/c.md", True),
        ("a/**/b/*.md", "a/b/x.md", True),
        ("a/**/b/*.md", "a/x/y/b/x.md", True),
        ("a/**/b/*.md", "a/x/y/x.md", False),
        ("**", "a/b/c.txt", True),
        ("[ab].md", "b.md", True),
        ("[!ab].md", "b.md", False),
        ("**/*.md", ".git/a.md", False),
        ("**/*.md", "_drafts/a.md", False),
        ("**/*.md", "a/node_modules/a.md", False),
        ("*.md", ".a.md", False),
    ],
)
def test_a_star_stays_in_its_folder_and_two_span_any(glob: str, path: str, does: bool) -> None:
    assert reaches(glob, path) is does


names = st.text("ab", min_size=1, max_size=2)


@given(st.lists(names, min_size=1, max_size=4))
def test_a_path_matches_itself_and_any_depth(parts: list[str]) -> None:
    path = "/".join(parts)
    assert reaches(path, path)
    assert reaches("**/*", path)
    assert reaches("**", path)
    assert reaches("/".join("*" * len(parts)), path)
    assert not reaches("/".join("*" * (len(parts) + 1)), path)


def test_a_folder_below_which_nothing_can_match_is_left_out() -> None:
    glob = Glob("a/*.md")
    assert not glob.is_end(glob.start)
    assert glob.enter(glob.start, "b") == frozenset()
    within = glob.enter(glob.start, "a")
    assert glob.is_end(within)
    assert glob.enter(within, "a") == frozenset()
