"""Where a site shows a post."""

import datetime
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from aggregator.origins.posts.links import (
    Place,
    is_utc_to_jekyll,
    slug_of_stem,
    slugify,
    title_of_slug,
    url_of,
)

SITE = "https://e.example/b/"
PLACE = Place(
    path="2021/2021-03-07-Rails-3-2-10--3-1-9--and-2",
    suffix=".md",
    slug="",
    permalink="",
    categories=("Dev", "Web Ops", "dev"),
    source="Dev",
    code="NW1",
    date=datetime.datetime(2021, 3, 7, 20, 5, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
)
TITLE = "Rails-3-2-10-3-1-9-and-2"


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("date", f"dev/web%20ops/2021/03/07/{TITLE}.html"),
        ("pretty", f"dev/web%20ops/2021/03/07/{TITLE}/"),
        ("ordinal", f"dev/web%20ops/2021/066/{TITLE}.html"),
        ("weekdate", f"dev/web%20ops/2021/W09/Sun/{TITLE}.html"),
        ("none", f"dev/web%20ops/{TITLE}.html"),
        ("/:slugified_categories/:i_month-:i_day/:slug", f"dev/web-ops/3-7/{TITLE.lower()}"),
        ("/:year_:title/:unknown", f"2021_{TITLE}/:unknown"),
        ("/:short_year/:hour:minute:second/:name", f"21/200509/2021-03-07-{TITLE.lower()}"),
        ("{url}{source}/{date:%Y}/{slug}/{code}", f"dev-34c6fceca7/2021/{TITLE}/NW1"),
        ("{url}{stem}.html", "2021-03-07-Rails-3-2-10--3-1-9--and-2.html"),
    ],
)
def test_templates(template: str, path: str) -> None:
    found = url_of(PLACE, template, SITE)
    if "{source}" in template:
        assert found is not None
        assert found.endswith(path.partition("/")[2])
    else:
        assert found == SITE + path


def test_front_matter_goes_before_the_template() -> None:
    assert url_of(PLACE, None, SITE) is None
    assert url_of(replace(PLACE, slug="Other, slug"), "none", SITE) == (
        f"{SITE}dev/web%20ops/Other,-slug.html"
    )
    own = replace(PLACE, permalink="/x//:title.html")
    assert url_of(own, None, SITE) == url_of(own, "none", SITE) == f"{SITE}x/{TITLE}.html"


def test_no_permalink_leaves_the_site() -> None:
    for permalink in ("../../etc", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"):
        found = url_of(replace(PLACE, permalink=permalink), None, SITE)
        assert found is not None
        assert found.startswith(SITE)
        assert ".." not in found


def test_a_post_without_a_source_leaves_no_empty_folder() -> None:
    place = replace(PLACE, source="")
    assert url_of(place, "{url}{source}/{date:%Y}/{slug}", SITE) == f"{SITE}2021/{TITLE}"


def test_slugs_and_titles_of_names() -> None:
    assert slug_of_stem("2021-3-1-a.") == "a"
    assert slug_of_stem("about-us") == "about-us"
    assert title_of_slug("java-email-04") == "Java Email 04"
    assert slugify("中文，标题 é") == "中文-标题-é"


def test_only_a_date_with_seconds_and_no_zone_is_utc() -> None:
    assert [is_utc_to_jekyll(f"2021-03-10{time}") for time in (" 20:30:00", "", " 20:30")] == [
        True, False, False
    ]  # fmt: skip
    assert not is_utc_to_jekyll("2021-03-10 20:30:00 +0800")
