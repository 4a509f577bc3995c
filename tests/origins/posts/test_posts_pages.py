"""The pages of posts, and of what they link to by name."""

from collections.abc import Callable
from typing import Any

import pytest
from configured import settings_with

from aggregator.origins.from_settings import post_rules
from aggregator.origins.posts.pages import address_of, url_of
from aggregator.origins.posts.post import PostFile, PostRules, dates_of, split

SITE = {
    "title": "T",
    "url": "https://e.example/b/",
    "tag": "e.example,2021",
    "timezone": "Asia/Shanghai",
}


def rules(permalink: str | None = None, **posts: Any) -> PostRules:
    site = {**SITE, "permalink": permalink}
    settings = settings_with(site=site, posts=[{"path": "p", **posts}])
    return post_rules(settings, settings.posts[0])


def post(path: str, head: str = "title: T") -> PostFile:
    return PostFile(path, path.encode(), f"---\n{head}\n---\nText".encode(), 0)


def url(file: PostFile, rules: PostRules) -> str | None:
    found = split(file, rules)
    assert found is not None
    return url_of(found, "code", dates_of(found, "code", rules)[1], rules, rules.permalink)


def test_a_post_has_the_page_that_the_site_gives_it() -> None:
    file = post("a/_posts/2021-03-01-b.md", "category: C")
    assert url(file, rules()) is None
    assert url(file, rules("date")) == "https://e.example/b/a/c/2021/03/01/b.html"
    own = post("2021-03-01-b.md", "permalink: /x/")
    assert url(own, rules()) == "https://e.example/b/x/"
    hugo = post("b.md", "url: /y/\npermalink: /x/\ndate: 2021-03-01")
    assert url(hugo, rules(layout="hugo")) == "https://e.example/b/y/"


def test_a_date_without_a_zone_is_utc_to_jekyll_only() -> None:
    file = post("2021-03-10-b.md", "date: 2021-03-10 20:30:00")
    assert url(file, rules("/:day")) == "https://e.example/b/11"
    assert url(file, rules("/:day", layout="plain")) == "https://e.example/b/10"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("2021-03-01-b", "/b/x/b.html"),
        ("_posts/2021-03-01-gone.md", "/b/2021/03/01/gone.html"),
        ("about.md", "/b/about.html"),
        ("/files/a.pdf", "/b/files/a.pdf"),
    ],
)
def test_what_a_post_links_to_by_name(name: str, path: str) -> None:
    find: Callable[[str], PostFile | None] = {
        "2021-03-01-b": post("2021-03-01-b.md", "permalink: /x/:title.html")
    }.get
    assert address_of(name, rules(), find) == path
