"""What Atom and RSS have beyond their entries."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest
from conftest import ATOM, Site
from one_feed import document

from aggregator.model.feeds import ArchivePlace, FeedDocument
from aggregator.publish import atom, rss
from aggregator.publish.head import HISTORY


def test_hubs_and_the_page_are_linked_in_atom(every_format: Site) -> None:
    feed = every_format.feed("all.atom").feed
    links = {link.rel: link.href for link in feed.links}
    assert links["hub"] == "https://hub.example.org/?a=1&b=2"
    root = ElementTree.parse(every_format.feeds / "all.atom").getroot()
    page = root.find(".//{http://www.w3.org/1999/xhtml}a")
    assert page is not None
    assert page.get("href") == "https://finews.example.org/feeds/index.html"
    start = (every_format.feeds / "sources" / "chenbao.atom").read_text("utf-8")[:200]
    assert '<?xml-stylesheet type="text/css" href="../feed.css"?>' in start


@pytest.mark.parametrize(("format", "render"), [("atom", atom.render), ("rss", rss.render)])
def test_an_archive_leads_to_its_neighbours(
    format: str, render: Callable[[FeedDocument], bytes]
) -> None:
    place = ArchivePlace("https://a.example/now", "https://a.example/1", "https://a.example/3")
    root = ElementTree.fromstring(render(document(archive=place)))
    head = root if format == "atom" else root[0]
    links = {link.get("rel"): link.get("href") for link in head.findall(ATOM + "link")}
    assert head.find(f"{{{HISTORY}}}archive") is not None
    assert (
        links.items()
        >= {
            "current": "https://a.example/now",
            "prev-archive": "https://a.example/1",
            "next-archive": "https://a.example/3",
        }.items()
    )
    first = ElementTree.fromstring(render(document(archive=ArchivePlace(previous="https://x/"))))
    assert first.find(f".//{{{HISTORY}}}archive") is None
    assert b"prev-archive" in ElementTree.tostring(first)


@pytest.mark.parametrize("render", [atom.render, rss.render])
def test_a_notice_for_people_where_there_is_a_page(render: Callable[[FeedDocument], bytes]) -> None:
    with_page = render(document(page="https://a.example/index.html", root="../", language="en"))
    assert b'<?xml-stylesheet type="text/css" href="../feed.css"?>' in with_page
    assert "This is a feed" in with_page.decode()
    plain = render(document())
    assert b"xml-stylesheet" not in plain
    assert b"xhtml" not in plain
