"""Which files of a folder are posts."""

from pathlib import Path

import pytest

from aggregator.config.globs import Layout
from aggregator.config.origins import Posts
from aggregator.model.errors import OriginError
from aggregator.origins.posts.listing import (
    count_others,
    folders_above,
    has_posts,
    list_folder,
    list_posts,
    newest_change,
    posts_among,
)

FILES = [
    "2022-01-27-a.md", "2022-01-27-b", "README.md", "_index.md", "note.html", "picture.png",
    "sub/2022-01-28-c.markdown", "_drafts/d.md", "_old/2022-01-01-e.md", ".hidden/x.md", "x.md~",
]  # fmt: skip
POSTS: dict[Layout, list[str]] = {
    "jekyll": ["2022-01-27-a.md", "sub/2022-01-28-c.markdown"],
    "hugo": [
        "2022-01-27-a.md", "2022-01-27-b", "README.md", "_old/2022-01-01-e.md", "note.html",
        "sub/2022-01-28-c.markdown",
    ],
    "plain": [
        "2022-01-27-a.md", "2022-01-27-b", "README.md", "_index.md", "_old/2022-01-01-e.md",
        "note.html", "sub/2022-01-28-c.markdown",
    ],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("layout", POSTS)
def test_the_posts_of_each_layout(folder: Path, layout: Layout) -> None:
    assert list_posts(folder, "**/*", layout) == POSTS[layout]


@pytest.mark.parametrize("layout", POSTS)
@pytest.mark.parametrize("glob", ["**/*", "*", "*.md", "sub/*", "**/*.markdown"])
def test_of_some_paths_the_posts_are_those_of_a_listing(
    folder: Path, layout: Layout, glob: str
) -> None:
    (folder / "2022-02-01-folder.md").mkdir()
    names = [*FILES, "2022-02-01-folder.md", "sub"]
    expected = list_posts(folder, glob, layout)
    assert posts_among(folder, glob, layout, names) == expected
    # One that is gone may be a post that was known.
    assert posts_among(folder, "*", layout, ["2022-03-01-gone.md"]) == ["2022-03-01-gone.md"]


def test_whether_a_folder_is_that_of_a_site_is_known_from_a_walk(folder: Path) -> None:
    inside, outside = "_posts/2022-01-29-f.md", FILES[0]
    assert posts_among(folder, "**/*", "jekyll", [outside]) is None
    list_posts(folder, "**/*", "jekyll")
    assert posts_among(folder, "**/*", "jekyll", [outside]) == [outside]
    # These may make it one.
    assert posts_among(folder, "**/*", "jekyll", [outside, inside]) is None
    assert posts_among(folder, "**/*", "jekyll", [outside, "_config.yml"]) is None
    (folder / "_posts").mkdir()
    (folder / inside).touch()
    list_posts(folder, "**/*", "jekyll")
    assert posts_among(folder, "**/*", "jekyll", [outside, inside]) == [inside]
    assert posts_among(folder / "_posts", "*", "jekyll", [outside]) == [outside]


def test_whether_there_is_a_post(folder: Path) -> None:
    assert has_posts(folder, "**/*", "jekyll")
    assert not has_posts(folder, "none-*", "jekyll")
    (folder / "_posts").mkdir()
    # Of a site, which a walk has seen, what is elsewhere is no post.
    assert list_posts(folder, "**/*", "jekyll") == []
    assert not has_posts(folder, "**/*", "jekyll")
    (folder / "_posts" / "2022-01-29-f.md").touch()
    assert has_posts(folder, "**/*", "jekyll")


def test_the_other_files_are_counted(folder: Path) -> None:
    """Those of a folder that a glob or Jekyll does not look into are not."""
    assert list_folder(folder, "**/*", "jekyll").others == 6
    assert list_folder(folder, "**/*", "hugo").others == 2
    assert list_folder(folder, "**/*", "plain").others == 1
    assert count_others(folder, Posts(path=".", glob="*.md")) == 2


def test_of_a_site_only_folders_of_posts_count(folder: Path) -> None:
    (folder / "_posts").mkdir()
    (folder / "_posts" / "2022-01-29-f.md").touch()
    found = list_folder(folder, "**/*", "jekyll")
    assert (list(found.posts), found.others) == (["_posts/2022-01-29-f.md"], 1)


def test_a_folder_that_cannot_be_listed(tmp_path: Path) -> None:
    with pytest.raises(OriginError, match="no such folder"):
        list_folder(tmp_path / "missing", "*")
    assert count_others(tmp_path, Posts(path="missing")) == 0


def test_the_newest_change_is_that_of_a_post(folder: Path) -> None:
    expected = (folder / "2022-01-27-a.md").stat().st_ctime
    assert newest_change(folder, "2022-01-27-a*", "jekyll") == expected
    assert newest_change(folder, "*.none", "jekyll") is None


def test_folders_above_the_posts_are_categories() -> None:
    assert folders_above("en/news/_posts/2021/2022-01-27-a.md") == ["en", "news"]
    assert folders_above("2021/2022-01-27-a.md") == []
