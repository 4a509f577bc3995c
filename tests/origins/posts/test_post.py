"""One post as it is written."""

import datetime
from typing import Any

import pytest
from configured import settings_with

from aggregator.model.errors import UnusableError
from aggregator.origins.from_settings import post_rules
from aggregator.origins.posts.post import (
    Post,
    PostFile,
    PostRules,
    categories_of,
    dates_of,
    line_of,
    source_of,
    split,
)


def rules(**posts: Any) -> PostRules:
    settings = settings_with(posts=[{"path": "p", **posts}])
    return post_rules(settings, settings.posts[0])


def post(text: str, path: str = "2021-03-01-a.md", **posts: Any) -> Post:
    found = split(PostFile(path, path.encode(), text.encode(), 86400), rules(**posts))
    assert found is not None
    return found


def test_a_file_is_split_into_text_and_metadata() -> None:
    found = post("---\r\ntitle: A\r\n---\r\nb", "x/_posts/2021-03-01-A.b.MD")
    assert (found.path, found.stem, found.suffix) == ("x/2021-03-01-A.b", "2021-03-01-A.b", ".md")
    assert (found.values, found.front.body.strip()) == ({"title": "A"}, "b")


def test_front_matter_may_be_missing_in_jekyll_only() -> None:
    assert post("b").values == {}
    with pytest.raises(UnusableError):
        post("b", layout="plain")
    assert split(PostFile("LICENSE", b"LICENSE", b"b", 0), rules(layout="plain")) is None


def test_a_bundle_of_hugo_has_the_name_of_its_folder() -> None:
    assert post("---\n---\n", "x/y/index.md", layout="hugo").path == "x/y"


def test_categories_are_those_of_the_folders_and_of_the_post() -> None:
    found = post("---\ncategories: b c\ncategory: d e\n---\n", "a/_posts/2021-03-01-a.md")
    assert categories_of(found) == ["a", "b", "c", "d e"]
    assert source_of(categories_of(found), rules()) == "a"
    assert source_of([], rules()) == ""
    assert source_of(["a"], rules(source="s")) == "s"


@pytest.mark.parametrize(
    ("text", "path", "layout", "expected", "noted"),
    [
        ("date: 2021-03-02 10:00", "2021-03-01-a.md", "jekyll", "2021-03-02T10:00+08:00", False),
        ("created: 2021-03-02", "2021-03-01-a.md", "jekyll", "2021-03-01T00:00+08:00", False),
        ("created: 2021-03-02", "a.md", "plain", "2021-03-02T00:00+08:00", False),
        ("date: soon", "2021-03-01-a.md", "jekyll", "2021-03-01T00:00+08:00", True),
        ("x: y", "a.md", "plain", "1970-01-02T00:00+00:00", False),
    ],
)
def test_the_date_of_a_post(text: str, path: str, layout: str, expected: str, noted: bool) -> None:
    found = post(f"---\n{text}\n---\n", path, layout=layout)
    _, guess, notes = dates_of(found, "", rules(layout=layout))
    assert guess == datetime.datetime.fromisoformat(expected)
    assert [line for line, _ in notes] == ([2] if noted else [])


def test_lines_are_counted_from_one() -> None:
    assert [line_of("a\nb: c", mark) for mark in ("a", "\nb:", "c", "d")] == [1, 2, 2, None]
