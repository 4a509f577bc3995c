"""Which files of a folder are posts."""

from pathlib import Path

import pytest

from aggregator.config.globs import Layout
from aggregator.config.origins import Posts
from aggregator.model.errors import OriginError
from aggregator.origins.posts.listing import (
    count_others,
    folders_above,
    list_folder,
    list_posts,
    newest_change,
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
    assert (found.posts, found.others) == (["_posts/2022-01-29-f.md"], 1)


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
