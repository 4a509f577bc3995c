"""Articles become entries, and entries become feed documents."""

import dataclasses
import datetime

import pytest
from one_feed import ENTRY
from test_publication import NOW, URL, article, publication

from aggregator.model.feeds import Archive, SourceName
from aggregator.publish.documents import as_archive, make_document, make_entry, tags_of

SOURCE = SourceName("hxsb", "hxsb", "华夏时报")


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


def test_an_entry_leads_to_the_page_of_its_own() -> None:
    site = publication(formats=["atom", "html"])
    shared = make_entry(site, article(share_url="http://s/", link="http://l/"), SOURCE)
    assert shared.alternate == URL + (site.article_path(article()) or "")
    assert shared.via == "http://s/"
    assert make_entry(site, article(link="http://l/"), SOURCE).via == "http://l/"
    # A page of the site goes before it.
    there = make_entry(site, article(link="https://finews.example.org/1/"), SOURCE)
    assert there.alternate == "https://finews.example.org/1/"
