"""What Atom and RSS have beyond their entries."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest
from conftest import ATOM, Site
from one_feed import document, entry

from aggregator.model.feeds import ArchivePlace, FeedDocument
from aggregator.publish import atom, rss
from aggregator.publish.head import CREATIVE_COMMONS, HISTORY
from aggregator.publish.xml import RDF, XHTML


def test_hubs_and_the_page_are_linked_in_atom(every_format: Site) -> None:
    feed = every_format.feed("all.atom").feed
    links = {link.rel: link.href for link in feed.links}
    assert links["hub"] == "https://hub.example.org/?a=1&b=2"
    root = ElementTree.parse(every_format.feeds / "all.atom").getroot()
    page = root.find(f"{{{RDF}}}Description//{{{XHTML}}}a")
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


@pytest.mark.parametrize("render", [atom.render, rss.render])
def test_titles_are_links_in_a_browser_and_only_there(
    render: Callable[[FeedDocument], bytes],
) -> None:
    shown = document(entry(title="1 < 2", alternate="https://a.example/ü|1"), page="https://x/")
    root = ElementTree.fromstring(render(shown))
    (item,) = [*root.iter(ATOM + "entry"), *root.iter("item")]
    link = item.find(f"{{{RDF}}}Description/{{{XHTML}}}a")
    assert link is not None
    assert (link.get("href"), link.text) == ("https://a.example/%C3%BC%7C1", "1 < 2")
    assert b"Description" not in render(document())
    # No XHTML stands outside of these elements, where validators would not know it.
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in root.iter():
        if element.tag.startswith(f"{{{XHTML}}}") and parents[element].tag != f"{{{XHTML}}}p":
            assert parents[element].tag == f"{{{RDF}}}Description"


def test_rights_and_license() -> None:
    values = {"rights": "© A & B", "license": "https://creativecommons.org/licenses/by/4.0/"}
    feed = ElementTree.fromstring(atom.render(document(**values)))
    assert feed.findtext(ATOM + "rights") == values["rights"]
    links = {link.get("rel"): link.get("href") for link in feed.findall(ATOM + "link")}
    assert links["license"] == values["license"]
    channel = ElementTree.fromstring(rss.render(document(**values)))[0]
    assert channel.findtext("copyright") == values["rights"]
    assert channel.findtext(f"{{{CREATIVE_COMMONS}}}license") == values["license"]
    for render in (atom.render, rss.render):
        assert b"license" not in render(document())
        assert b"copyright" not in render(document())
