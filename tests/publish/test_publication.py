"""Ids, paths and names of feeds."""

import dataclasses
import datetime
from typing import Any

import pytest
from configured import settings_with

from aggregator.model.articles import Article
from aggregator.publish.publication import Publication, is_place

NOW = datetime.datetime(2022, 1, 27, 12, tzinfo=datetime.UTC)
URL = "https://finews.example.org/feeds/"


def publication(**feeds: Any) -> Publication:
    sources = {"hxsb": {"name": "华夏时报", "url": "https://a.example/"}, "x-1": {}}
    return Publication.of(settings_with(sources=sources, feeds={"url": URL, **feeds}))


def article(**values: Any) -> Article:
    plain = Article("NW1", "hxsb", None, NOW, NOW, None, 1, 1, title="T")
    return dataclasses.replace(plain, **values)


def test_a_feed_is_found_by_its_key_as_long_as_it_is_configured() -> None:
    full = publication(tags=True, extra={"ports": {"words": ["x"]}})
    for key in ("all", "source:Börse", "tag:港 口", "extra:ports"):
        spec = full.spec_of(key)
        assert spec is not None
        assert spec.key == key
    plain = publication()
    assert plain.spec_of("tag:x") is plain.spec_of("extra:ports") is plain.spec_of("x") is None


def test_ids_paths_and_urls() -> None:
    site = publication(formats=["atom", "json"])
    spec = site.source_spec("hxsb")
    assert site.feed_id(spec) == "tag:finews.example.org,2021:feeds/sources/hxsb"
    assert site.feed_paths(spec) == {"atom": "sources/hxsb.atom", "json": "sources/hxsb.json"}
    assert site.feed_urls(spec)["json"] == URL + "sources/hxsb.json"
    assert site.archive_path(spec, 7) == "archives/sources/hxsb.7.atom"
    # The id is that of the feed wherever it is and however it is written.
    assert publication(url="https://b.example/").feed_id(spec) == site.feed_id(spec)
    assert site.source_spec("../x").stem.startswith("sources/x-")


def test_names_are_those_of_the_configuration_first() -> None:
    site = publication(extra={"ports": {"words": ["x"], "title": "港口"}, "b": {"words": ["x"]}})
    assert site.source_name("hxsb", "gelernt").name == "华夏时报"
    assert site.source_name("x-1", "gelernt").name == "gelernt"
    assert site.source_name("neu", None).name == "neu"
    names = [site.subject_name(site.extra_spec(name), None) for name in ("ports", "b")]
    assert names == ["港口", "b"]
    assert site.source_url("hxsb") == "https://a.example/"
    assert site.source_url("x-1") is site.source_url(None) is None


@pytest.mark.parametrize(
    ("values", "base"),
    [
        ({}, "https://finews.example.org/"),
        ({"link": "https://finews.example.org/1.html"}, "https://finews.example.org/1.html"),
        ({"link": "https://other.example/1"}, "https://finews.example.org/"),
        ({"base": "https://other.example/"}, "https://other.example/"),
    ],
)
def test_the_base_of_urls_in_a_text(values: dict[str, str], base: str) -> None:
    assert publication().base(article(**values)) == base


def test_other_settings_are_other_rules() -> None:
    spec = publication().combined_spec()
    assert publication().rules(spec) == publication().rules(spec)
    assert publication(page=False).rules(spec) != publication().rules(spec)
    assert publication().rules(publication().source_spec("x")) != publication().rules(spec)
    assert publication(page=False).sanitizing == publication().sanitizing
    assert publication().page_rules(1) == publication(entries=7).page_rules(1)
    assert publication().page_rules(1) != publication().page_rules(2)


def test_articles_have_pages_where_html_is_published_and_the_site_has_none() -> None:
    site = publication(formats=["atom", "html"])
    assert site.article_path(article()) == "articles/2022/01/nw1-b121ab804af7a3ae.html"
    late = article(published=NOW.replace(month=2), page_month="2022/01")
    assert site.article_path(late) == site.article_path(article())
    # An article that has a page on the site needs none.
    assert site.article_path(article(link="https://finews.example.org/1.html")) is None
    assert publication().article_path(article()) is None


def test_a_month_is_that_of_the_site() -> None:
    last = datetime.datetime(2022, 1, 31, 17, tzinfo=datetime.UTC)
    assert publication().month_of(last) == "2022/02"


@pytest.mark.parametrize(
    ("folder", "is_ours"),
    [
        ("", True),
        ("archives/sources", True),
        ("articles", True),
        ("articles/2022/03", True),
        ("articles/2022", False),
        ("articles/../x", False),
        ("photos", False),
    ],
)
def test_the_folders_of_published_files(folder: str, is_ours: bool) -> None:
    assert is_place(folder) == is_ours
