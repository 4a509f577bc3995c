"""Other posts of a folder by the names that posts have for each other."""

import datetime
from pathlib import Path

import pytest
from configured import settings_with

from aggregator.origins.from_settings import post_rules
from aggregator.origins.posts.neighbours import find

NOW = datetime.datetime(2022, 1, 28, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("2022-01-27-a", b"top"),
        ("_posts/2022-01-27-a.md", b"top"),
        ("en/2022-01-27-a", b"english"),
        ("en/_posts/2022-01-27-a.md", b"english"),
        ("2022-01-28-b.md", b"below"),
        ("2022-01-29-big", None),
        ("2022-01-30-none", None),
        ("../outside", None),
    ],
)
def test_a_post_is_found_by_its_name(tmp_path: Path, name: str, title: bytes | None) -> None:
    for path, text in (
        ("_posts/2022-01-27-a.md", "top"),
        ("en/_posts/2022-01-27-a.md", "english"),
        ("_posts/deep/2022-01-28-b.md", "below"),
        ("_posts/2022-01-29-big.md", "x" * 1001),
        ("outside.md", "page"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    posts = [{"path": ".", "max_bytes": "1kB"}]
    settings = settings_with(base=tmp_path, posts=posts)
    found = find(str(tmp_path), "**/*", post_rules(settings, settings.posts[0]), NOW, name)
    assert (found and found.data) == title


def test_a_folder_that_is_gone_has_none(tmp_path: Path) -> None:
    settings = settings_with(base=tmp_path)
    assert (
        find(
            str(tmp_path / "gone"),
            "**/*",
            post_rules(settings, settings.posts[0]),
            NOW,
            "2022-01-27-a",
        )
        is None
    )
