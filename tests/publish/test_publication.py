"""Ids, paths and names of feeds and entries."""

import dataclasses
import datetime
from typing import Any

import pytest
from configured import settings_with
from one_feed import ENTRY

from aggregator.model.articles import Article
from aggregator.model.feeds import Archive, SourceName
from aggregator.publish.publication import (
    Publication,
    as_archive,
    make_document,
    make_entry,
    tags_of,
)

NOW = datetime.datetime(2022, 1, 27, 12, tzinfo=datetime.UTC)
URL = "https://finews.example.org/feeds/"
SOURCE = SourceName("hxsb", "hxsb", "华夏时报")


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


def test_an_entry_is_dated_in_the_zone_of_the_site_and_links_to_what_there_is() -> None:
    site = publication()
    plain = make_entry(site, article(), SOURCE)
    assert plain.published.isoformat() == "2022-01-27T20:00:00+08:00"
    assert plain.updated == plain.published
    assert plain.alternate == "https://finews.example.org/"
    assert plain.id == "tag:finews.example.org,2021:NW1"
    shared = make_entry(site, article(share_url="http://s/", updated=NOW), SOURCE)
    assert (shared.alternate, shared.via) == ("http://s/", "http://s/")
    own = make_entry(site, article(share_url="http://s/", link="http://l/"), SOURCE)
    assert (own.alternate, own.via) == ("http://l/", "http://s/")


def test_tags_are_the_categories_that_do_not_name_the_source() -> None:
    found = tags_of(article(categories=("hxsb", "股票", "华夏时报", "华夏时报新闻")), SOURCE)
    assert found == ("股票",)


def test_a_feed_is_as_new_as_its_newest_entry() -> None:
    site = publication()
    spec = site.combined_spec()
    late = dataclasses.replace(ENTRY, updated=ENTRY.updated + datetime.timedelta(days=1))
    found = make_document(site, spec, None, (ENTRY, late), {})
    assert found.updated == late.updated
    empty = make_document(site, spec, None, (), {})
    assert empty.updated.isoformat() == "2021-01-01T00:00:00+08:00"
    assert found.archive.previous is None
    of_source = make_document(site, site.source_spec("hxsb"), SOURCE, (), {}, 3)
    assert of_source.title == "华夏时报 - 财经新闻"
    assert of_source.alternate == "https://a.example/"
    assert of_source.root == "../"
    assert of_source.archive.previous == URL + "archives/sources/hxsb.3.atom"


@pytest.mark.parametrize("is_sealed", [True, False])
def test_an_archive_document_leads_both_ways_and_has_no_hub(is_sealed: bool) -> None:
    site = publication(hubs=["https://hub.example/"], formats=["json"])
    spec = site.combined_spec()
    plain = make_document(site, spec, None, (ENTRY,), {})
    assert plain.hubs
    found = as_archive(site, spec, plain, Archive(1, (), is_sealed=is_sealed))
    assert found.hubs == ()
    assert found.urls == {"atom": URL + "archives/all.1.atom"}
    assert found.archive.current == URL + "all.json"
    assert found.archive.previous is None
    assert found.archive.next == (URL + "archives/all.2.atom" if is_sealed else None)
    second = as_archive(site, spec, plain, Archive(2, ()))
    assert second.archive.previous == URL + "archives/all.1.atom"


def test_other_settings_are_other_rules() -> None:
    spec = publication().combined_spec()
    assert publication().rules(spec) == publication().rules(spec)
    assert publication(page=False).rules(spec) != publication().rules(spec)
    assert publication().rules(publication().source_spec("x")) != publication().rules(spec)
    assert publication(page=False).sanitizing == publication().sanitizing
